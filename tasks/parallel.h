#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace dsv4::tasks {

// Calls work(0) ... work(count - 1), `jobs` at a time, and returns when all have ended. After
// `cancel`, or once one has thrown, no further one begins; what the first one threw is thrown here.
inline void run_parallel(int jobs, size_t count, std::stop_token cancel,
                         const std::function<void(size_t)>& work) {
  std::atomic<size_t> next{0};
  std::atomic<bool> failed{false};
  std::exception_ptr error;
  std::mutex mutex;
  const auto worker = [&] {
    for (;;) {
      const size_t mine = next++;
      if (mine >= count || failed || cancel.stop_requested()) return;
      try {
        work(mine);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
        failed = true;
      }
    }
  };
  std::vector<std::jthread> threads;
  const size_t useful = std::min(count, static_cast<size_t>(std::max(jobs, 1)));
  for (size_t i = 0; i < useful; ++i) threads.emplace_back(worker);
  threads.clear();  // joins
  if (error) std::rethrow_exception(error);
}

}  // namespace dsv4::tasks
