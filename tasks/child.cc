#include "tasks/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <stdexcept>

#include "sandbox/descriptor.h"

namespace dsv4::tasks {
namespace {

using Clock = std::chrono::steady_clock;
using sandbox::Descriptor;

constexpr int kTick = 50;                   // ms between two looks at what may end the child
constexpr std::chrono::seconds kGrace(20);  // for a child that was asked to end

Descriptor open_or_throw(const char* path, int flags, const std::string& what) {
  Descriptor fd(::open(path, flags | O_CLOEXEC, 0644));
  if (!fd) throw std::runtime_error(what + ": " + std::strerror(errno));
  return fd;
}

// What the child needs, made before the fork: after it nothing may be allocated.
struct Prepared {
  explicit Prepared(const ChildOptions& options) {
    for (const std::string& each : options.argv) argv.push_back(const_cast<char*>(each.c_str()));
    argv.push_back(nullptr);
    for (char** each = ::environ; *each != nullptr; ++each) {
      const std::string entry(*each);
      bool replaced = false;
      for (const auto& [name, value] : options.environment) {
        replaced = replaced || entry.starts_with(name + "=");
      }
      if (!replaced) texts.push_back(entry);
    }
    for (const auto& [name, value] : options.environment) texts.push_back(name + "=" + value);
    for (const std::string& each : texts) environment.push_back(const_cast<char*>(each.c_str()));
    environment.push_back(nullptr);
  }

  std::vector<std::string> texts;
  std::vector<char*> argv;
  std::vector<char*> environment;
};

[[noreturn]] void become(const Prepared& prepared, pid_t parent, int in, int out, int err) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before it could be said
  ::signal(SIGPIPE, SIG_DFL);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  ::execvpe(prepared.argv[0], prepared.argv.data(), prepared.environment.data());
  ::_exit(127);
}

class Child {
 public:
  explicit Child(const ChildOptions& options) {
    const Prepared prepared(options);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
    output_ = Descriptor(ends[0]);
    const Descriptor writing(ends[1]);
    ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
    const Descriptor in = open_or_throw("/dev/null", O_RDONLY, "cannot open /dev/null");
    const Descriptor err = open_or_throw(options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                         "cannot write " + options.log.string());
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0)
      throw std::runtime_error(std::string("cannot start a process: ") + strerror(errno));
    if (pid_ == 0) become(prepared, parent, in.get(), writing.get(), err.get());
    ::setpgid(pid_, pid_);
  }
  ~Child() {
    if (pid_ <= 0) return;
    signal(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void signal(int number) const { ::kill(-pid_, number); }

  // Waits a moment and takes what has come. Returns the wait status once it has ended.
  std::optional<int> look(std::string* output) {
    pollfd entry{output_.get(), POLLIN, 0};
    ::poll(&entry, output_ ? 1 : 0, kTick);
    drain(output);
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
    pid_ = -1;
    drain(output);
    return status;
  }

 private:
  void drain(std::string* output) {
    std::array<char, 1 << 14> part;
    while (output_) {
      const ssize_t got = ::read(output_.get(), part.data(), part.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return;
      if (got == 0) return output_.reset();
      const size_t room = kLongestOutput - output->size();
      output->append(part.data(), std::min(static_cast<size_t>(got), room));
    }
  }

  Descriptor output_;
  pid_t pid_ = -1;
};

}  // namespace

ChildResult run_child(const ChildOptions& options, std::stop_token cancel, std::stop_token kill) {
  Child child(options);
  const Clock::time_point deadline = Clock::now() + options.limit;
  std::optional<Clock::time_point> asked;
  ChildResult result;
  std::optional<ChildEnd> ended_by_us;
  for (;;) {
    if (const auto status = child.look(&result.output)) {
      result.end = WIFSIGNALED(*status) ? ChildEnd::kSignalled : ChildEnd::kExited;
      result.status = WIFSIGNALED(*status) ? WTERMSIG(*status) : WEXITSTATUS(*status);
      if (ended_by_us) result.end = *ended_by_us;
      return result;
    }
    const Clock::time_point now = Clock::now();
    if (cancel.stop_requested() && !asked) {
      asked = now;
      ended_by_us = ChildEnd::kCancelled;
      child.signal(SIGINT);
    }
    const bool late = now >= deadline;
    if (!kill.stop_requested() && !late && !(asked && now >= *asked + kGrace)) continue;
    if (!ended_by_us) ended_by_us = late ? ChildEnd::kTimedOut : ChildEnd::kKilled;
    child.signal(SIGKILL);
  }
}

}  // namespace dsv4::tasks
