#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace dsv4::kernels {

// A fixed set of worker threads for data-parallel loops. The calling thread takes part in the work,
// so a pool of 1 owns no thread at all. One loop runs at a time: a pool belongs to one session's
// caller and is not itself thread-safe.
class ThreadPool {
 public:
  // threads: how many run a loop, the caller included; 0 means one per available core.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const;

  // Calls body(begin, end) over disjoint ranges that cover [0, n), each at least `grain` long but
  // for the last, and returns when all are done. The first exception thrown by a body is rethrown
  // here, after the others have finished.
  void parallel_for(int64_t n, int64_t grain, const std::function<void(int64_t, int64_t)>& body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dsv4::kernels
