// One program of small abuses: `probe NAME [ARG]` tries one and exits 1 when it worked, 0 when it
// was denied, 2 when there is no such probe. tests/sandbox/probes_test.cc says which box must deny
// it. It is copied into the working copy, so it is built plain, without sanitizers.

#include <fcntl.h>
#include <grp.h>
#include <linux/if_alg.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>
#include <vector>

namespace {

std::string argument;

bool can_open(const char* path, int flags) { return ::open(path, flags) >= 0; }

bool can_connect(const char* ip_bytes, int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  memcpy(&to.sin_addr, ip_bytes, 4);
  return ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
}

bool host_loopback() { return can_connect("\x7f\0\0\1", atoi(argument.c_str())); }

// A datagram needs nobody to answer: being able to send one is enough to get out.
bool network_out() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(53);
  to.sin_addr.s_addr = htonl(0xC0000201);  // 192.0.2.1, set aside for documentation
  return ::sendto(fd, "x", 1, 0, reinterpret_cast<sockaddr*>(&to), sizeof to) == 1;
}

bool has_socket(int family, int type, int protocol) {
  return ::socket(family, type, protocol) >= 0;
}
bool raw_socket() { return has_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP); }
bool raw6_socket() { return has_socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6); }
bool packet_socket() { return has_socket(AF_PACKET, SOCK_RAW, 0); }
bool vsock() { return has_socket(AF_VSOCK, SOCK_STREAM, 0); }
bool crypto_socket() { return has_socket(AF_ALG, SOCK_SEQPACKET, 0); }
bool netlink_audit() { return has_socket(AF_NETLINK, SOCK_RAW, 9); }
bool netlink_generic() { return has_socket(AF_NETLINK, SOCK_RAW, 16); }

bool trace_child() {
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  const bool traced = ::ptrace(PTRACE_ATTACH, child, nullptr, nullptr) == 0;
  ::kill(child, SIGKILL);
  return traced;
}
bool trace_me() { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0; }
bool read_child_memory() {
  static char here[8] = "abc";
  char there[8];
  iovec local{there, sizeof there};
  iovec remote{here, sizeof here};
  return ::process_vm_readv(::getpid(), &local, 1, &remote, 1, 0) > 0;
}
bool init_memory() { return can_open("/proc/1/mem", O_RDWR); }
bool init_environment() { return can_open("/proc/1/environ", O_RDONLY); }
bool init_root() { return can_open("/proc/1/root/etc", O_RDONLY); }
bool init_descriptors() { return can_open("/proc/1/fd/3", O_RDWR); }
bool steal_descriptor() {
  const long process = ::syscall(SYS_pidfd_open, 1, 0);
  return ::syscall(SYS_pidfd_getfd, process, 3, 0) >= 0;
}

bool mount_tmpfs() { return ::mount("none", "/tmp", "tmpfs", 0, nullptr) == 0; }
bool remount_writable() {
  return ::mount(nullptr, "/usr", nullptr, MS_REMOUNT | MS_BIND, nullptr) == 0;
}
bool unmount_git() { return ::umount2("/work/.git", MNT_DETACH) == 0; }
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

bool become_root() { return ::setresuid(0, 0, 0) == 0; }
bool change_groups() {
  const gid_t wheel = 0;
  return ::setgroups(1, &wheel) == 0;
}
bool run_setuid_program() { return ::system("su -c true </dev/null >/dev/null 2>&1") == 0; }
bool setuid_chmod() {
  ::close(::open("suid", O_CREAT | O_WRONLY, 0755));
  return ::chmod("suid", 04755) == 0;
}
bool setgid_fchmod() { return ::fchmod(::open("sgid", O_CREAT | O_WRONLY, 0755), 02755) == 0; }
bool setuid_create() { return ::open("suid-new", O_CREAT | O_WRONLY, 04755) >= 0; }
bool setuid_node() { return ::mknod("suid-node", S_IFREG | 04755, 0) == 0; }
bool setuid_chmod2() {
  constexpr long kFchmodat2 = 452;
  ::close(::open("suid2", O_CREAT | O_WRONLY, 0755));
  return ::syscall(kFchmodat2, AT_FDCWD, "suid2", 04755, 0) == 0;
}
bool device_node() { return ::mknod("null", S_IFCHR | 0666, makedev(1, 3)) == 0; }

bool dev_kmsg() { return can_open("/dev/kmsg", O_RDONLY); }
bool dev_mem() { return can_open("/dev/mem", O_RDONLY); }
bool proc_kcore() { return can_open("/proc/kcore", O_RDONLY); }
bool proc_kmsg() { return can_open("/proc/kmsg", O_RDONLY | O_NONBLOCK); }
bool proc_keys() { return can_open("/proc/keys", O_RDONLY); }
bool core_pattern() { return can_open("/proc/sys/kernel/core_pattern", O_WRONLY); }
bool sysrq() { return can_open("/proc/sysrq-trigger", O_WRONLY); }
bool write_path() { return ::open(argument.c_str(), O_CREAT | O_WRONLY, 0644) >= 0; }
bool read_path() { return can_open(argument.c_str(), O_RDONLY); }

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

bool kill_init() {
  ::kill(1, SIGKILL);
  ::kill(1, SIGSTOP);
  ::kill(::getppid(), 0);
  return ::kill(1, 0) != 0;
}

bool fork_bomb() {
  int alive = 0;
  for (int i = 0; i < 4 * atoi(argument.c_str()); ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      ::pause();
      ::_exit(0);
    }
    if (child > 0) ++alive;
  }
  return alive > atoi(argument.c_str());
}
bool thread_bomb() {
  int alive = 0;
  try {
    for (; alive < 4 * atoi(argument.c_str()); ++alive) std::thread([] { ::pause(); }).detach();
  } catch (const std::exception&) {
  }
  return alive > atoi(argument.c_str());
}

bool balloon() {
  for (int i = 0; i < 4096; ++i) {
    char* some = static_cast<char*>(::malloc(1 << 20));
    if (some == nullptr) return false;
    memset(some, i | 1, 1 << 20);
  }
  return true;
}
// Eight processes, none of them large.
bool shared_balloon() {
  for (int i = 0; i < 8; ++i) {
    if (::fork() != 0) continue;
    char* some = static_cast<char*>(::malloc(96 << 20));
    memset(some, i | 1, 96 << 20);
    ::pause();
  }
  ::pause();
  return true;
}
bool fill_disk() {
  const std::string block(1 << 20, 'x');
  for (int i = 0; i < 2000; ++i) {
    FILE* file = ::fopen(("filler" + std::to_string(i)).c_str(), "w");
    if (file == nullptr || ::fwrite(block.data(), 1, block.size(), file) != block.size()) {
      return false;
    }
    ::fclose(file);
  }
  return true;
}
bool big_file() {
  const std::string block(1 << 20, 'x');
  const int fd = ::open("big", O_CREAT | O_WRONLY, 0644);
  for (int i = 0; i < 64; ++i) {
    if (::write(fd, block.data(), block.size()) < 0) return false;
  }
  return true;
}

// Leaves a process behind that nothing but the kernel ties to us, holding a lock on ARG.
bool daemon_left() {
  int told[2];
  if (::pipe(told) != 0 || ::fork() != 0) {
    char byte = 0;
    return ::close(told[1]) == 0 && ::read(told[0], &byte, 1) < 0;
  }
  ::setsid();
  if (::fork() != 0) ::_exit(0);
  const int fd = ::open(argument.c_str(), O_CREAT | O_RDWR, 0644);
  if (::lockf(fd, F_LOCK, 0) != 0) ::_exit(1);
  for (int signal = 1; signal < 32; ++signal) ::signal(signal, SIG_IGN);
  ::write(told[1], "x", 1);
  ::close(told[1]);
  for (;;) ::pause();
}

struct Probe {
  const char* name;
  bool (*attempt)();
};
#define PROBE(name) \
  { #name, name }
constexpr Probe kProbes[] = {
    PROBE(host_loopback),
    PROBE(network_out),
    PROBE(raw_socket),
    PROBE(raw6_socket),
    PROBE(packet_socket),
    PROBE(vsock),
    PROBE(crypto_socket),
    PROBE(netlink_audit),
    PROBE(netlink_generic),
    PROBE(trace_child),
    PROBE(trace_me),
    PROBE(read_child_memory),
    PROBE(init_memory),
    PROBE(init_environment),
    PROBE(init_root),
    PROBE(init_descriptors),
    PROBE(steal_descriptor),
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
    PROBE(become_root),
    PROBE(change_groups),
    PROBE(run_setuid_program),
    PROBE(setuid_chmod),
    PROBE(setgid_fchmod),
    PROBE(setuid_create),
    PROBE(setuid_node),
    PROBE(setuid_chmod2),
    PROBE(device_node),
    PROBE(dev_kmsg),
    PROBE(dev_mem),
    PROBE(proc_kcore),
    PROBE(proc_kmsg),
    PROBE(proc_keys),
    PROBE(core_pattern),
    PROBE(sysrq),
    PROBE(write_path),
    PROBE(read_path),
    PROBE(type_into_terminal),
    PROBE(type_with_high_bits),
    PROBE(kill_init),
    PROBE(fork_bomb),
    PROBE(thread_bomb),
    PROBE(balloon),
    PROBE(shared_balloon),
    PROBE(fill_disk),
    PROBE(big_file),
    PROBE(daemon_left),
};

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2) argument = argv[2];
  for (const Probe& probe : kProbes) {
    if (argc < 2 || std::string(argv[1]) != probe.name) continue;
    errno = 0;
    const bool worked = probe.attempt();
    printf("%s: %s\n", probe.name, worked ? "WORKED" : ::strerror(errno));
    return worked ? 1 : 0;
  }
  return 2;
}
