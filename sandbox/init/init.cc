// The first program in the box. As process 1 of its own process-id namespace it starts the command,
// reaps, and takes everything with it when it exits; nothing inside can signal it. Run bare
// (--no-sandbox, argument "bare") it does the same by being the reaper of all its descendants.
//
// Built without the C++ library and carried inside the main program (init_image.cc).

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "sandbox/launch_spec.h"

using dsv4::sandbox::kControlFd;
using dsv4::sandbox::Report;
using dsv4::sandbox::ReportKind;
using dsv4::sandbox::SpecHeader;

namespace {

struct Spec {
  SpecHeader header;
  const char* cwd;
  char** argv;
  char** environment;
};

void report(ReportKind kind, int value) {
  const Report message{kind, value};
  while (send(kControlFd, &message, sizeof message, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

bool receive(void* into, size_t bytes) {
  char* at = static_cast<char*>(into);
  while (bytes > 0) {
    const ssize_t n = recv(kControlFd, at, bytes, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    bytes -= static_cast<size_t>(n);
  }
  return true;
}

// Points `count` entries of a NULL-terminated list at the strings from *at on.
char** list_of(uint32_t count, char** at, const char* end) {
  char** list = static_cast<char**>(calloc(count + 1ul, sizeof(char*)));
  if (list == nullptr) return nullptr;
  for (uint32_t i = 0; i < count; ++i) {
    if (*at >= end) return nullptr;
    list[i] = *at;
    *at += strlen(*at) + 1;
  }
  return list;
}

bool receive_spec(Spec* spec) {
  if (!receive(&spec->header, sizeof spec->header)) return false;
  const SpecHeader& h = spec->header;
  if (h.bytes == 0 || h.bytes > dsv4::sandbox::kMaxSpecBytes) return false;
  if (h.arguments == 0 || h.arguments > h.bytes || h.variables > h.bytes) return false;
  char* text = static_cast<char*>(malloc(h.bytes + 1ul));
  if (text == nullptr || !receive(text, h.bytes)) return false;
  text[h.bytes] = '\0';
  const char* end = text + h.bytes;
  char* at = text;
  spec->cwd = at;
  at += strlen(at) + 1;
  spec->argv = list_of(h.arguments, &at, end);
  spec->environment = spec->argv == nullptr ? nullptr : list_of(h.variables, &at, end);
  return spec->environment != nullptr;
}

void limit(__rlimit_resource which, uint64_t value) {
  rlimit now{};
  getrlimit(which, &now);
  if (now.rlim_max != RLIM_INFINITY && value > now.rlim_max) value = now.rlim_max;
  const rlimit wanted{value, value};
  setrlimit(which, &wanted);
}

[[noreturn]] void become_command(const Spec& spec) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  setsid();  // signals to "my process group" stay inside the command
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, spec.header.file_bytes);
  if (spec.header.processes > 0) limit(RLIMIT_NPROC, spec.header.processes);
  if (chdir(spec.cwd) != 0) {
    report(ReportKind::kDirFailed, errno);
    _exit(127);
  }
  environ = spec.environment;
  execvp(spec.argv[0], spec.argv);
  report(ReportKind::kExecFailed, errno);
  _exit(127);
}

// Only bare: kills children until there are none. Grandchildren become children as their parents
// die, because this process is their reaper; so setsid and double forks do not help them.
void kill_descendants() {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
  for (;;) {
    FILE* children = fopen(path, "re");
    int child = 0;
    while (children != nullptr && fscanf(children, "%d", &child) == 1) kill(child, SIGKILL);
    if (children != nullptr) fclose(children);
    int status = 0;
    if (waitpid(-1, &status, 0) < 0 && errno == ECHILD) return;
  }
}

// Starts the command and waits for it in a process of its own, so that a command which kills its
// parent (as it may when bare) does not kill the reaper.
[[noreturn]] void stand_in(const Spec& spec) {
  const pid_t command = fork();
  if (command == 0) become_command(spec);
  int status = 0;
  while (waitpid(command, &status, 0) < 0 && errno == EINTR) {
  }
  if (command < 0) {
    report(ReportKind::kExecFailed, errno);
  } else {
    report(ReportKind::kExit, status);
  }
  _exit(0);
}

void on_child(int) {}

// Waits until `first` has ended or the supervisor has hung up.
void wait_for(pid_t first, bool bare) {
  sigset_t unblocked;
  sigemptyset(&unblocked);
  for (;;) {
    int status = 0;
    pid_t ended = 0;
    while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
      if (ended != first) continue;
      if (!bare) report(ReportKind::kExit, status);
      return;
    }
    pollfd control{kControlFd, POLLIN | POLLRDHUP, 0};
    if (ppoll(&control, 1, nullptr, &unblocked) > 0) return;  // hung up: nothing else is ever sent
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool bare = argc > 1 && strcmp(argv[1], "bare") == 0;
  prctl(PR_SET_DUMPABLE, 0);  // the command has the same user id: keep it out of our /proc files
  if (bare) prctl(PR_SET_CHILD_SUBREAPER, 1);
  syscall(SYS_close_range, kControlFd + 1, ~0u, 0);
  fcntl(kControlFd, F_SETFD, FD_CLOEXEC);

  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, nullptr);
  struct sigaction action {};
  action.sa_handler = on_child;
  sigaction(SIGCHLD, &action, nullptr);

  report(ReportKind::kReady, 0);
  Spec spec{};
  if (!receive_spec(&spec)) return 1;
  const pid_t first = fork();
  if (first == 0) {
    if (bare) stand_in(spec);
    become_command(spec);
  }
  if (first < 0) {
    report(ReportKind::kExecFailed, errno);
    return 1;
  }
  wait_for(first, bare);
  if (bare) kill_descendants();
  return 0;
}
