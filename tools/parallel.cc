#include "tools/parallel.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace dsv4::tools {

size_t thread_count() {
  constexpr size_t kMost = 16;
  return std::clamp<size_t>(std::thread::hardware_concurrency(), 1, kMost);
}

void on_threads(size_t threads, const std::function<void(size_t thread)>& work) {
  std::mutex mutex;
  std::exception_ptr failure;
  const auto run = [&](size_t thread) {
    try {
      work(thread);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    for (size_t k = 1; k < threads; ++k) others.emplace_back([&run, k] { run(k); });
    run(0);
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace dsv4::tools
