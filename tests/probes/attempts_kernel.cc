// Asking the kernel for what no ordinary program needs.

#include <fcntl.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/probes/probe.h"

namespace {

bool can_open(const char* path, int flags) { return ::open(path, flags) >= 0; }

bool mount_tmpfs() { return ::mount("none", "/tmp", "tmpfs", 0, nullptr) == 0; }
bool remount_writable() {
  return ::mount(nullptr, "/usr", nullptr, MS_REMOUNT | MS_BIND, nullptr) == 0;
}
bool unmount_git() { return ::umount2(".git", MNT_DETACH) == 0; }
bool new_mount_call() { return ::syscall(SYS_fsopen, "tmpfs", 0) >= 0; }
bool clone_mount() { return ::syscall(SYS_open_tree, AT_FDCWD, "/", 1) >= 0; }
bool change_root() { return ::chroot("/tmp") == 0; }
bool pivot() { return ::syscall(SYS_pivot_root, ".", ".") == 0; }

bool unshare_user() { return ::unshare(CLONE_NEWUSER) == 0; }
bool unshare_mounts() { return ::unshare(CLONE_NEWNS) == 0; }
bool clone_user() {
  const long child = ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) ::_exit(0);
  return child > 0;
}
bool clone3_user() {
  clone_args how{};
  how.flags = CLONE_NEWUSER;
  how.exit_signal = SIGCHLD;
  const long child = ::syscall(SYS_clone3, &how, sizeof how);
  if (child == 0) ::_exit(0);
  return child > 0;
}
bool join_namespace() {
  const int fd = ::open("/proc/self/ns/uts", O_RDONLY);
  return ::setns(fd, 0) == 0;
}
bool set_hostname() { return ::sethostname("mine", 4) == 0; }

bool key_session() { return ::syscall(SYS_keyctl, 0, -3, 1) >= 0; }
bool key_add() { return ::syscall(SYS_add_key, "user", "probe", "x", 1, -2) >= 0; }
bool uring() {
  char parameters[256] = {};
  return ::syscall(SYS_io_uring_setup, 4, parameters) >= 0;
}
bool fault_handler() { return ::syscall(SYS_userfaultfd, 1) >= 0; }
bool kernel_program() {
  char attributes[128] = {};
  attributes[0] = 1;  // an array map ...
  return ::syscall(SYS_bpf, 0, attributes, sizeof attributes) >= 0 || errno == EINVAL;
}
bool perf_events() {
  perf_event_attr what{};
  what.type = PERF_TYPE_SOFTWARE;
  what.size = sizeof what;
  what.exclude_kernel = 1;
  return ::syscall(SYS_perf_event_open, &what, 0, -1, -1, 0) >= 0;
}
bool load_module() { return ::syscall(SYS_finit_module, -1, "", 0) == 0 || errno == EBADF; }
bool kernel_log() { return ::syscall(SYS_syslog, 10, nullptr, 0) >= 0; }
bool secret_memory() { return ::syscall(SYS_memfd_secret, 0) >= 0; }
bool file_handle() {
  return ::syscall(SYS_open_by_handle_at, AT_FDCWD, "", O_RDONLY) >= 0 || errno == EFAULT;
}

bool dev_kmsg() { return can_open("/dev/kmsg", O_RDONLY); }
bool dev_mem() { return can_open("/dev/mem", O_RDONLY); }
bool proc_kcore() { return can_open("/proc/kcore", O_RDONLY); }
bool proc_kmsg() { return can_open("/proc/kmsg", O_RDONLY | O_NONBLOCK); }
bool proc_keys() { return can_open("/proc/keys", O_RDONLY); }
bool core_pattern() { return can_open("/proc/sys/kernel/core_pattern", O_WRONLY); }
bool sysrq() { return can_open("/proc/sysrq-trigger", O_WRONLY); }
bool type_into_terminal() {
  int ours = 0;
  int theirs = 0;
  if (::openpty(&ours, &theirs, nullptr, nullptr, nullptr) != 0) return false;
  ::setsid();
  ::ioctl(theirs, TIOCSCTTY, 0);
  return ::ioctl(theirs, TIOCSTI, "x") == 0;
}
// The kernel looks at 32 bits of the request, so a filter must too.
bool type_with_high_bits() {
  int ours = 0;
  int theirs = 0;
  if (::openpty(&ours, &theirs, nullptr, nullptr, nullptr) != 0) return false;
  ::setsid();
  ::ioctl(theirs, TIOCSCTTY, 0);
  return ::syscall(SYS_ioctl, theirs, TIOCSTI | (1ul << 40), "x") == 0;
}

bool old_architecture() {
  // getpid by its number of the 32-bit kernel interface: calls made so would go around the filter.
#ifdef __x86_64__
  long result = 20;
  asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  errno = result < 0 ? static_cast<int>(-result) : 0;
  return result > 0;
#else
  errno = ENOSYS;
  return false;
#endif
}
bool set_clock() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return ::clock_settime(CLOCK_REALTIME, &now) == 0;
}
constexpr Probe kAttempts[] = {
    PROBE(mount_tmpfs),
    PROBE(remount_writable),
    PROBE(unmount_git),
    PROBE(new_mount_call),
    PROBE(clone_mount),
    PROBE(change_root),
    PROBE(pivot),
    PROBE(unshare_user),
    PROBE(unshare_mounts),
    PROBE(clone_user),
    PROBE(clone3_user),
    PROBE(join_namespace),
    PROBE(set_hostname),
    PROBE(key_session),
    PROBE(key_add),
    PROBE(uring),
    PROBE(fault_handler),
    PROBE(kernel_program),
    PROBE(perf_events),
    PROBE(load_module),
    PROBE(kernel_log),
    PROBE(secret_memory),
    PROBE(file_handle),
    PROBE(dev_kmsg),
    PROBE(dev_mem),
    PROBE(proc_kcore),
    PROBE(proc_kmsg),
    PROBE(proc_keys),
    PROBE(core_pattern),
    PROBE(sysrq),
    PROBE(type_into_terminal),
    PROBE(type_with_high_bits),
    PROBE(old_architecture),
    PROBE(set_clock),
};

}  // namespace

std::span<const Probe> kernel_attempts() { return kAttempts; }
