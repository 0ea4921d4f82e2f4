#include "sandbox/launcher.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <system_error>

#include "sandbox/launch_spec.h"
#include "sandbox/sandbox.h"

// posix_spawn, not Boost.Process: the child must have exactly the descriptors we name
// (Boost.Process 1.81 leaves others open and cannot close a range), and a fork would copy the page
// tables of an engine that may hold many gigabytes; posix_spawn borrows them until the exec.

namespace dsv4::sandbox {
namespace {

void check(int error, const char* what) {
  if (error != 0) {
    throw SetupError(std::string(what) + ": " + std::generic_category().message(error));
  }
}

// Moves a descriptor above every number that the child's will take, so that placing one cannot
// overwrite another that is still to be placed.
Descriptor raised(const Descriptor& fd) {
  constexpr int kAbove = 64;
  return owned(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kAbove), "cannot duplicate a descriptor");
}

class Actions {
 public:
  Actions() { check(::posix_spawn_file_actions_init(&actions_), "cannot prepare a program"); }
  ~Actions() { ::posix_spawn_file_actions_destroy(&actions_); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;

  void place(const Descriptor& from, int at) {
    kept_.push_back(raised(from));
    check(::posix_spawn_file_actions_adddup2(&actions_, kept_.back().get(), at),
          "cannot place a descriptor");
  }
  void close_from(int first) {
    check(::posix_spawn_file_actions_addclosefrom_np(&actions_, first), "cannot close descriptors");
  }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
  std::vector<Descriptor> kept_;
};

// A session of its own, no blocked signals, every handler back to the default.
class Attributes {
 public:
  Attributes() {
    check(::posix_spawnattr_init(&attributes_), "cannot prepare a program");
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_,
                               POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

void not_blocking(const Descriptor& fd) {
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

}  // namespace

Launched launch(Launch& what) {
  const Descriptor null = owned(::open("/dev/null", O_RDONLY | O_CLOEXEC), "/dev/null");
  int pipe_ends[2];
  if (::pipe2(pipe_ends, O_CLOEXEC) != 0) owned(-1, "cannot make a pipe");
  Launched started;
  started.output = Descriptor(pipe_ends[0]);
  const Descriptor output_end(pipe_ends[1]);
  int socket_ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socket_ends) != 0) {
    owned(-1, "cannot make a socket");
  }
  started.control = Descriptor(socket_ends[0]);
  const Descriptor control_end(socket_ends[1]);
  const int on = 1;  // the kernel then tells the process id of whoever writes
  ::setsockopt(started.control.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  constexpr int kPipeBytes = 1 << 20;  // fewer wake-ups under a flood; the default where refused
  ::fcntl(started.output.get(), F_SETPIPE_SZ, kPipeBytes);
  not_blocking(started.output);
  not_blocking(started.control);

  Actions actions;
  actions.place(null, 0);
  actions.place(output_end, 1);
  actions.place(output_end, 2);
  actions.place(control_end, kControlFd);
  int next = kFirstInherited;
  for (const Descriptor& fd : what.inherited) actions.place(fd, next++);
  actions.close_from(next);

  std::vector<char*> argv;
  for (std::string& word : what.argv) argv.push_back(word.data());
  argv.push_back(nullptr);
  char* empty_environment[] = {nullptr};  // a variable of the command must not steer the launcher
  const int error = ::posix_spawn(&started.pid, what.program.c_str(), actions.get(),
                                  Attributes().get(), argv.data(), empty_environment);
  check(error, ("cannot start " + what.program).c_str());
  what.inherited.clear();
  return started;
}

}  // namespace dsv4::sandbox
