#include "agent/terminal/worker.h"

#include <utility>

namespace dsv4::agent::terminal {

Worker::Worker() : thread_([this] { work(); }) {}

Worker::~Worker() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    cancel_.request_stop();
  }
  changed_.notify_all();
  thread_.join();
}

void Worker::start(Job job) {
  {
    const std::lock_guard lock(mutex_);
    next_ = std::move(job);
    cancel_ = std::stop_source();
  }
  changed_.notify_all();
}

void Worker::stop() {
  std::stop_source running;
  {
    const std::lock_guard lock(mutex_);
    running = cancel_;
  }
  running.request_stop();  // what listens to it may take its time
}

void Worker::work() {
  for (;;) {
    Job job;
    std::stop_token cancel;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ended_ || next_; });
      if (ended_) return;
      job = *std::exchange(next_, std::nullopt);
      cancel = cancel_.get_token();
    }
    job(cancel);
  }
}

}  // namespace dsv4::agent::terminal
