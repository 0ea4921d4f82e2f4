#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

namespace dsv4::agent::terminal {

// A thread that does one job at a time, so that keys are read while the model works.
class Worker {
 public:
  using Job = std::function<void(std::stop_token)>;  // must not throw

  Worker();
  // Asks the job that runs to stop, and waits for it.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Only when the last job has said that it is done.
  void start(Job job);
  // Asks the job that runs, if any, to stop.
  void stop();

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Job> next_;
  std::stop_source cancel_;  // of the job that runs or was last
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace dsv4::agent::terminal
