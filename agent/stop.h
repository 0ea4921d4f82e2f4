#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <thread>

namespace dsv4::agent {

// Turns SIGINT, SIGTERM, SIGHUP and the end of the time limit into one stop token that everything
// long listens to. A second signal ends the program at once with exit code 130. One object at a
// time: signal handlers belong to the process. The handlers are put back at the end.
class Stop {
 public:
  explicit Stop(std::chrono::milliseconds time_limit) : Stop(time_limit, Signals::kCaught) {}
  // For a caller that has its own signal handlers: they are left alone, `interrupt` is what a
  // signal would be, and there may be several of these.
  Stop(std::chrono::milliseconds time_limit, std::stop_token interrupt);
  ~Stop();
  Stop(const Stop&) = delete;
  Stop& operator=(const Stop&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  bool interrupted() const { return interrupted_; }
  bool timed_out() const { return timed_out_; }

 private:
  enum class Signals { kCaught, kLeftAlone };
  Stop(std::chrono::milliseconds time_limit, Signals signals);
  void watch(std::chrono::steady_clock::time_point deadline);

  Signals signals_;
  std::stop_source source_;
  std::atomic<bool> interrupted_{false};
  std::atomic<bool> timed_out_{false};
  int pipe_[2] = {-1, -1};
  std::thread watcher_;
  std::optional<std::stop_callback<std::function<void()>>> interrupt_;
};

}  // namespace dsv4::agent
