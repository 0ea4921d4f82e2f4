// Reaching other processes. From Landlock's version 6 on signals stay in the box by themselves;
// before, this process sends them, to processes that descend from it and on handles that cannot
// come to mean another one.

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <cerrno>

#include "sandbox/init/broker.h"

namespace dsv4::sandbox {
namespace {

struct Kin {
  pid_t parent = 0;
  pid_t group = 0;
};

bool read_kin(pid_t pid, Kin* kin) {
  char text[512];
  snprintf(text, sizeof text, "/proc/%d/stat", pid);
  const Handle file(open(text, O_RDONLY | O_CLOEXEC));
  const ssize_t n = file ? read(file.get(), text, sizeof text - 1) : -1;
  if (n <= 0) return false;
  text[n] = '\0';
  const char* after_name = strrchr(text, ')');
  return after_name != nullptr &&
         sscanf(after_name + 1, " %*c %d %d", &kin->parent, &kin->group) == 2;
}

bool descends(pid_t pid) {
  Kin kin;
  const pid_t us = getpid();
  while (pid != us) {
    if (pid <= 1 || !read_kin(pid, &kin)) return false;
    pid = kin.parent;
    if (pid == us) return true;
  }
  return false;
}

long send(int process, int signal) {
  return syscall(SYS_pidfd_send_signal, process, signal, nullptr, 0);
}

Answer signal_process(pid_t pid, int signal) {
  const Handle process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!process) return failed(errno == EINVAL ? ESRCH : errno);
  return descends(pid) ? outcome(send(process.get(), signal)) : failed(EPERM);
}

// All of the box, or those in one process group of it.
Answer signal_many(const Request& request, pid_t group, int signal) {
  const long caller = status_field(request, "\nTgid:", 10);
  DIR* all = opendir("/proc");
  int reached = 0;
  while (const dirent* entry = all != nullptr ? readdir(all) : nullptr) {
    const pid_t pid = static_cast<pid_t>(strtol(entry->d_name, nullptr, 10));
    Kin kin;
    if (pid <= 0 || (group == 0 && pid == caller) || !read_kin(pid, &kin)) continue;
    if (group != 0 && kin.group != group) continue;
    if (signal_process(pid, signal).kind == Answer::Kind::kValue) ++reached;
  }
  if (all != nullptr) closedir(all);
  return reached > 0 ? outcome(0) : failed(ESRCH);
}

Answer signal_by_number(const Request& request) {
  const pid_t pid = request.number(0);
  const int signal = request.number(1);
  if (pid > 0) return signal_process(pid, signal);
  if (pid == 0) return go_on();  // its own group, which is of a session begun in the box
  return signal_many(request, pid == -1 ? 0 : -pid, signal);
}

// A thread of its own process; the kernel checks that again.
Answer signal_thread(const Request& request) {
  return request.number(0) == status_field(request, "\nTgid:", 10) ? go_on() : failed(EPERM);
}

Answer signal_thread_by_number(const Request& request) {
  const long process = status_field(request, "\nTgid:", 10);
  return outcome(syscall(SYS_tgkill, process, request.number(0), request.number(1)));
}

Answer signal_by_handle(const Request& request) {
  const Handle process(take_descriptor(request, request.number(0)));
  if (!process) return failed(errno);
  char text[512];
  snprintf(text, sizeof text, "/proc/self/fdinfo/%d", process.get());
  const Handle file(open(text, O_RDONLY | O_CLOEXEC));
  const ssize_t n = file ? read(file.get(), text, sizeof text - 1) : -1;
  text[n < 0 ? 0 : n] = '\0';
  const char* at = strstr(text, "\nPid:");
  const pid_t pid = at == nullptr ? -1 : static_cast<pid_t>(strtol(at + 5, nullptr, 10));
  if (pid > 0 && !descends(pid)) return failed(EPERM);
  return pid == 0 ? failed(EPERM) : outcome(send(process.get(), request.number(1)));
}

// Scheduling of a thread of its own process.
Answer schedule(const Request& request) {
  const long process = status_field(request, "\nTgid:", 10);
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/task/%d", process, request.number(0));
  return process > 0 && access(path, F_OK) == 0 ? go_on() : failed(EPERM);
}

}  // namespace

Handler process_handler(int call) {
  switch (call) {
    case SYS_kill:
      return signal_by_number;
    case SYS_tgkill:
    case SYS_rt_sigqueueinfo:
    case SYS_rt_tgsigqueueinfo:
      return signal_thread;
    case SYS_tkill:
      return signal_thread_by_number;
    case SYS_pidfd_send_signal:
      return signal_by_handle;
    case SYS_sched_setaffinity:
    case SYS_sched_setscheduler:
    case SYS_sched_setparam:
    case SYS_sched_setattr:
      return schedule;
    default:
      return nullptr;
  }
}

}  // namespace dsv4::sandbox
