// The first program in the box. As process 1 of its own process-id namespace it starts the command,
// reaps, and takes everything with it when it exits; nothing inside can signal it. Run bare
// (--no-sandbox, argument "bare") it does the same by being the reaper of all its descendants; so
// it does in a Landlock box (argument "landlock"), which it closes around the command. In a box it
// then is the broker of what walls cannot say.
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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>

#include "sandbox/init/box.h"
#include "sandbox/init/broker.h"
#include "sandbox/launch_spec.h"

using namespace dsv4::sandbox;

namespace {

enum class Mode { kNamespace, kBare, kLandlock };

struct Spec {
  SpecHeader header;
  const char* cwd;
  char** argv;
  char** environment;
  char** grounds;  // see SpecHeader
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
  if (h.bytes == 0 || h.bytes > kMaxSpecBytes) return false;
  if (h.arguments == 0 || h.arguments > h.bytes || h.variables > h.bytes) return false;
  if (h.grounds > h.bytes || h.grounds == 1) return false;
  char* text = static_cast<char*>(malloc(h.bytes + 1ul));
  if (text == nullptr || !receive(text, h.bytes)) return false;
  text[h.bytes] = '\0';
  const char* end = text + h.bytes;
  char* at = text;
  spec->cwd = at;
  at += strlen(at) + 1;
  spec->argv = list_of(h.arguments, &at, end);
  spec->environment = spec->argv == nullptr ? nullptr : list_of(h.variables, &at, end);
  spec->grounds = spec->environment == nullptr ? nullptr : list_of(h.grounds, &at, end);
  return spec->grounds != nullptr;
}

void limit(__rlimit_resource which, uint64_t value) {
  rlimit now{};
  getrlimit(which, &now);
  if (now.rlim_max != RLIM_INFINITY && value > now.rlim_max) value = now.rlim_max;
  const rlimit wanted{value, value};
  setrlimit(which, &wanted);
}

void report_failure(const Closed& closed) {
  report(ReportKind::kSetupFailed, setup_failure(closed.step, closed.error));
}

// `broker`: where to send the listener of a box.
[[noreturn]] void become_command(const Spec& spec, Mode mode, int broker) {
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
  if (mode != Mode::kBare) {
    const Closed closed = mode == Mode::kLandlock ? close_box(broker)
                                                  : refuse_calls(broker, spec.header.grounds != 0);
    if (closed.error != 0) {
      report_failure(closed);
      _exit(127);
    }
  }
  environ = spec.environment;
  execvp(spec.argv[0], spec.argv);
  report(ReportKind::kExecFailed, errno);
  _exit(127);
}

// Without a process-id namespace: kills children until there are none. Grandchildren become
// children as their parents die, because this process is their reaper; so setsid and double forks
// do not help them.
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
  if (command == 0) become_command(spec, Mode::kBare, -1);
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

// `listener` is -1 without one.
struct Broker {
  int listener = -1;
  Grounds grounds{};
  Told told;
};

// Waits until `first` has ended or the supervisor has hung up, and meanwhile answers for the
// broker.
void wait_for(pid_t first, Mode mode, Broker& broker) {
  sigset_t unblocked;
  sigemptyset(&unblocked);
  for (;;) {
    int status = 0;
    pid_t ended = 0;
    while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
      if (ended != first) continue;
      if (mode != Mode::kBare) report(ReportKind::kExit, status);
      return;
    }
    pollfd both[] = {{kControlFd, POLLIN | POLLRDHUP, 0}, {broker.listener, POLLIN, 0}};
    if (ppoll(both, 2, nullptr, &unblocked) <= 0) continue;
    if (both[0].revents != 0) return;  // hung up: nothing else is ever sent
    if ((both[1].revents & POLLIN) != 0) {
      answer_one(broker.listener, broker.grounds, &broker.told);
    } else if (both[1].revents != 0) {
      broker.listener = -1;  // no process is left that could ask
    }
  }
}

void ignore_file_limit(const Spec& spec) {
  signal(SIGXFSZ, SIG_IGN);
  limit(RLIMIT_FSIZE, spec.header.file_bytes);
}

// The proxy's socket is made here, in the box's network, and served outside.
bool hand_out_proxy(const Spec& spec) {
  if (spec.header.proxy_port == 0) return true;
  const int listener = listen_on(spec.header.proxy_port);
  const Report message{ReportKind::kListening, 0};
  if (listener >= 0 && send_descriptor(kControlFd, listener, &message, sizeof message)) {
    close(listener);
    return true;
  }
  report_failure({SetupStep::kProxy, errno});
  return false;
}

// Forks the command, and takes the listener of the filters that it put itself under.
pid_t fork_command(const Spec& spec, Mode mode, Broker* broker) {
  int ends[2];
  const bool connected = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0;
  const pid_t first = connected ? fork() : -1;
  if (first == 0) become_command(spec, mode, ends[1]);
  if (first < 0) {
    report_failure({SetupStep::kBroker, errno});
    return -1;
  }
  close(ends[1]);
  broker->listener = receive_listener(ends[0]);
  close(ends[0]);
  static char* none[] = {nullptr};
  broker->grounds = {"", "", none, true, mode == Mode::kNamespace};
  if (spec.header.grounds == 0) return first;
  broker->grounds.work = spec.grounds[0];
  broker->grounds.temporary = spec.grounds[1];
  broker->grounds.guarded = spec.grounds + 2;
  broker->grounds.own_network = spec.header.own_network != 0;
  umask(0);  // callers' own masks count
  ignore_file_limit(spec);
  return first;
}

// Starts the command in a Landlock box. Returns its process id, or -1 when that was reported to
// have failed.
pid_t start_boxed(const Spec& spec, Broker* broker) {
  Closed closed{};
  if (spec.header.own_network != 0) closed = make_namespaces();
  if (closed.error == 0 && !hand_out_proxy(spec)) return -1;
  if (closed.error == 0) closed = drop_capabilities();
  if (closed.error != 0) {
    report_failure(closed);
    return -1;
  }
  const pid_t first = fork_command(spec, Mode::kLandlock, broker);
  for (const int fd : {kRulesetFd, kFilterFd, kBrokerFilterFd}) close(fd);
  return first;
}

Mode mode_of(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "bare") == 0) return Mode::kBare;
  return argc > 1 && strcmp(argv[1], "landlock") == 0 ? Mode::kLandlock : Mode::kNamespace;
}

void watch_children() {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, nullptr);
  struct sigaction action {};
  action.sa_handler = on_child;
  sigaction(SIGCHLD, &action, nullptr);
}

pid_t start(const Spec& spec, Mode mode, Broker* broker) {
  if (mode == Mode::kLandlock) return spec.header.grounds == 0 ? -1 : start_boxed(spec, broker);
  if (!hand_out_proxy(spec)) return -1;
  if (mode == Mode::kNamespace) {
    const pid_t first = fork_command(spec, mode, broker);
    for (const int fd : {kArgumentsFilterFd, kTellingFilterFd, kSilentFilterFd}) close(fd);
    return first;
  }
  const pid_t first = fork();
  if (first == 0) stand_in(spec);
  if (first < 0) report(ReportKind::kExecFailed, errno);
  return first;
}

}  // namespace

int main(int argc, char** argv) {
  const Mode mode = mode_of(argc, argv);
  prctl(PR_SET_DUMPABLE, 0);  // the command has the same user id: keep it out of our /proc files
  if (mode != Mode::kNamespace) prctl(PR_SET_CHILD_SUBREAPER, 1);
  const int keep = mode == Mode::kLandlock    ? kBrokerFilterFd
                   : mode == Mode::kNamespace ? kSilentFilterFd
                                              : kControlFd;
  syscall(SYS_close_range, keep + 1, ~0u, 0);
  for (int fd = kControlFd; fd <= keep; ++fd) fcntl(fd, F_SETFD, FD_CLOEXEC);
  watch_children();

  report(ReportKind::kReady, 0);
  Spec spec{};
  if (!receive_spec(&spec)) return 1;
  Broker broker;
  const pid_t first = start(spec, mode, &broker);
  if (first < 0) return 1;
  wait_for(first, mode, broker);
  if (mode != Mode::kNamespace) kill_descendants();
  return 0;
}
