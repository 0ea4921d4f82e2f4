#include "tasks/memory.h"

#include <unistd.h>

#include <algorithm>

#include "sandbox/process_tree.h"

namespace dsv4::tasks {

MemoryLimit::Job::Job(MemoryLimit& limit, std::stop_token cancel) : limit_(limit) {
  std::unique_lock lock(limit_.mutex_);
  limit_.changed_.wait(lock, cancel,
                       [&] { return static_cast<int>(limit_.running_.size()) < limit_.allowed_; });
  limit_.running_.push_back(this);
}

MemoryLimit::Job::~Job() {
  {
    const std::lock_guard lock(limit_.mutex_);
    limit_.running_.remove(this);
    // What has ended by itself has left room; what was stopped needs more of it.
    if (!kill_.stop_requested()) limit_.allowed_ = std::min(limit_.allowed_ + 1, limit_.most_);
  }
  limit_.changed_.notify_all();
}

void MemoryLimit::look() {
  if (bytes_) look_at(sandbox::measure_tree(::getpid(), *bytes_).memory_bytes);
}

void MemoryLimit::look_at(uint64_t in_use) {
  if (!bytes_ || in_use <= *bytes_) return;
  const std::lock_guard lock(mutex_);
  if (running_.empty()) return;
  Job& last = *running_.back();
  if (last.kill_.stop_requested()) return;  // it is on its way out
  last.alone_ = running_.size() == 1;
  allowed_ = std::max(1, static_cast<int>(running_.size()) - 1);
  last.kill_.request_stop();
}

}  // namespace dsv4::tasks
