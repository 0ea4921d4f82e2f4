#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

namespace dsv4::tools {

// Asks a command to stop when its own time is up: one that is shorter than the sandbox's limit.
class CommandTimer {
 public:
  CommandTimer(std::chrono::milliseconds timeout, std::stop_source command)
      : thread_([this, timeout, command](std::stop_token done) mutable {
          std::unique_lock lock(mutex_);
          wake_.wait_for(lock, done, timeout, [] { return false; });
          if (done.stop_requested()) return;
          expired_ = true;
          command.request_stop();
        }) {}

  bool expired() const { return expired_; }

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::atomic<bool> expired_ = false;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace dsv4::tools
