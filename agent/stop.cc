#include "agent/stop.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

#include "agent/commands.h"

namespace dsv4::agent {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};
constexpr char kQuit = 'q';
constexpr char kSignal = 's';

// All that a signal handler can reach: the pipe it writes to and how often it was called.
std::atomic<int> handler_pipe{-1};
std::atomic<int> signals_seen{0};
static_assert(std::atomic<int>::is_always_lock_free);

void on_signal(int) {
  const int saved = errno;
  if (signals_seen.fetch_add(1) > 0) ::_exit(kInterrupted);
  const char byte = kSignal;
  if (::write(handler_pipe.load(), &byte, 1) != 1) ::_exit(kInterrupted);
  errno = saved;
}

void install(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = handler == on_signal ? SA_RESTART : 0;
  ::sigemptyset(&action.sa_mask);
  for (const int number : kSignals) ::sigaction(number, &action, nullptr);
  // A reader that leaves (`fix ... | head`) is no reason to die in the middle of a run.
  action.sa_handler = handler == on_signal ? SIG_IGN : SIG_DFL;
  ::sigaction(SIGPIPE, &action, nullptr);
}

}  // namespace

Stop::Stop(std::chrono::milliseconds time_limit, Signals signals) : signals_(signals) {
  if (::pipe2(pipe_, O_CLOEXEC) != 0) {
    throw std::runtime_error(std::string("cannot make a pipe: ") + std::strerror(errno));
  }
  if (signals_ == Signals::kCaught) {
    handler_pipe = pipe_[1];
    signals_seen = 0;
    install(on_signal);
  }
  watcher_ = std::thread(
      [this, deadline = std::chrono::steady_clock::now() + time_limit] { watch(deadline); });
}

Stop::Stop(std::chrono::milliseconds time_limit, std::stop_token interrupt)
    : Stop(time_limit, Signals::kLeftAlone) {
  interrupt_.emplace(std::move(interrupt), [this] {
    const char byte = kSignal;
    if (::write(pipe_[1], &byte, 1) != 1) ::_exit(kInterrupted);  // a pipe that is never full
  });
}

Stop::~Stop() {
  interrupt_.reset();
  if (signals_ == Signals::kCaught) install(SIG_DFL);
  const char byte = kQuit;
  if (::write(pipe_[1], &byte, 1) != 1) ::_exit(kInterrupted);  // a pipe that is never full
  watcher_.join();
  if (signals_ == Signals::kCaught) handler_pipe = -1;
  ::close(pipe_[0]);
  ::close(pipe_[1]);
}

void Stop::watch(std::chrono::steady_clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    const int64_t wait = std::clamp<int64_t>(left.count() + 1, 0, 3600 * 1000);
    pollfd entry{pipe_[0], POLLIN, 0};
    const int ready = ::poll(&entry, 1, timed_out_ ? -1 : static_cast<int>(wait));
    char byte = 0;
    if (ready > 0 && ::read(pipe_[0], &byte, 1) == 1) {
      if (byte == kQuit) return;
      interrupted_ = true;
      source_.request_stop();
    } else if (ready == 0 && std::chrono::steady_clock::now() >= deadline) {
      timed_out_ = true;
      source_.request_stop();
    }
  }
}

}  // namespace dsv4::agent
