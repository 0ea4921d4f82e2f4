// Reaching other processes: those of the box's own machinery, and those outside.

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/probes/probe.h"

namespace {

bool can_open(const std::string& path, int flags = O_RDONLY) {
  return ::open(path.c_str(), flags) >= 0;
}
std::string proc_of(int pid, const char* file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

bool trace_child() {
  const pid_t child = ::fork();
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  const bool traced = ::ptrace(PTRACE_ATTACH, child, nullptr, nullptr) == 0;
  const int why = errno;
  ::kill(child, SIGKILL);
  errno = why;
  return traced;
}
bool trace_me() { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0; }
bool trace_host() { return ::ptrace(PTRACE_SEIZE, told_number("HOST_PID"), nullptr, nullptr) == 0; }
bool read_memory_of(int pid) {
  static char here[8] = "abc";
  char there[8];
  iovec local{there, sizeof there};
  iovec remote{here, sizeof here};
  return ::process_vm_readv(pid, &local, 1, &remote, 1, 0) > 0;
}
bool read_child_memory() { return read_memory_of(::getpid()); }
bool host_memory_call() { return read_memory_of(told_number("HOST_PID")); }

bool init_memory() { return can_open(proc_of(init_pid(), "mem"), O_RDWR); }
bool init_environment() { return can_open(proc_of(init_pid(), "environ")); }
bool init_root() { return can_open(proc_of(init_pid(), "root/etc")); }
bool init_descriptors() { return can_open(proc_of(init_pid(), "fd/3"), O_RDWR); }
bool init_map() { return can_open(proc_of(init_pid(), "maps")); }
bool steal_descriptor() {
  const long process = ::syscall(SYS_pidfd_open, init_pid(), 0);
  return ::syscall(SYS_pidfd_getfd, process, 3, 0) >= 0;
}

bool host_environment() { return can_open(proc_of(told_number("HOST_PID"), "environ")); }
bool host_memory() { return can_open(proc_of(told_number("HOST_PID"), "mem")); }
bool host_command_line() { return can_open(proc_of(told_number("HOST_PID"), "cmdline")); }
bool host_descriptors() { return can_open(proc_of(told_number("HOST_PID"), "fd")); }
bool host_folder() { return can_open(proc_of(told_number("HOST_PID"), "cwd/.")); }

bool signal_host() { return ::kill(told_number("HOST_PID"), SIGCONT) == 0; }
bool signal_host_thread() {
  const int pid = told_number("HOST_PID");
  return ::syscall(SYS_tgkill, pid, pid, SIGCONT) == 0;
}
bool signal_host_queue() {
  siginfo_t what{};
  what.si_code = SI_QUEUE;
  return ::syscall(SYS_rt_sigqueueinfo, told_number("HOST_PID"), SIGCONT, &what) == 0;
}
bool signal_host_handle() {
  const long process = ::syscall(SYS_pidfd_open, told_number("HOST_PID"), 0);
  return process >= 0 && ::syscall(SYS_pidfd_send_signal, process, SIGCONT, nullptr, 0) == 0;
}
// The kernel signals for us when something happens to a pipe.
bool signal_host_by_descriptor() {
  int ends[2];
  return ::pipe(ends) == 0 && ::fcntl(ends[0], F_SETOWN, told_number("HOST_PID")) == 0 &&
         ::fcntl(ends[0], F_SETSIG, SIGUSR1) == 0 &&
         ::fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK) == 0 && ::write(ends[1], "x", 1) == 1 &&
         ::kill(told_number("HOST_PID"), 0) == 0;
}
bool kill_init() {
  if (::kill(init_pid(), SIGKILL) != 0) return false;
  errno = 0;
  return ::kill(init_pid(), 0) != 0;  // the kernel keeps such signals from a namespace's process 1
}

bool limit_host() {
  const rlimit none{1 << 20, 1 << 20};
  return ::syscall(SYS_prlimit64, told_number("HOST_PID"), RLIMIT_CORE, &none, nullptr) == 0;
}
bool slow_host() { return ::setpriority(PRIO_PROCESS, told_number("HOST_PID"), 1) == 0; }
bool pin_host() {
  cpu_set_t all;
  CPU_ZERO(&all);
  for (int i = 0; i < 64; ++i) CPU_SET(i, &all);
  return ::sched_setaffinity(told_number("HOST_PID"), sizeof all, &all) == 0;
}

bool change_groups() {
  const gid_t groups[] = {0, 1};
  return ::setgroups(2, groups) == 0;
}
bool become_other_user() { return ::setresuid(1, 1, 1) == 0; }
bool regain_capabilities() {
  struct {
    uint32_t version;
    int pid;
  } header{0x20080522, 0};
  const uint32_t all[6] = {~0u, ~0u, 0, ~0u, ~0u, 0};
  return ::syscall(SYS_capset, &header, all) == 0;
}
// As root it could mount.
bool run_setuid_program() {
  const pid_t child = ::fork();
  if (child == 0) {
    const int null = ::open("/dev/null", O_WRONLY);
    ::dup2(null, 1);
    ::dup2(null, 2);
    ::execl("/usr/bin/mount", "mount", "-t", "tmpfs", "none", "/mnt", nullptr);
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  errno = 0;
  return status == 0;
}

constexpr Probe kAttempts[] = {
    PROBE(trace_child),
    PROBE(trace_me),
    PROBE(trace_host),
    PROBE(read_child_memory),
    PROBE(host_memory_call),
    PROBE(init_memory),
    PROBE(init_environment),
    PROBE(init_root),
    PROBE(init_descriptors),
    PROBE(init_map),
    PROBE(steal_descriptor),
    PROBE(host_environment),
    PROBE(host_memory),
    PROBE(host_command_line),
    PROBE(host_descriptors),
    PROBE(host_folder),
    PROBE(signal_host),
    PROBE(signal_host_thread),
    PROBE(signal_host_queue),
    PROBE(signal_host_handle),
    PROBE(signal_host_by_descriptor),
    PROBE(kill_init),
    PROBE(limit_host),
    PROBE(slow_host),
    PROBE(pin_host),
    PROBE(change_groups),
    PROBE(become_other_user),
    PROBE(regain_capabilities),
    PROBE(run_setuid_program),
};

}  // namespace

std::span<const Probe> process_attempts() { return kAttempts; }
