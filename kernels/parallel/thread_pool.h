#pragma once

#include <cstdint>
#include <memory>

namespace dsv4::kernels {

// A reference to a callable void(int64_t begin, int64_t end), which must outlive it: what
// std::function is, without ever allocating.
class LoopBody {
 public:
  template <class F>
  LoopBody(const F& body)  // NOLINT: implicit, so that a lambda can be passed
      : object_(&body), call_([](const void* object, int64_t begin, int64_t end) {
          (*static_cast<const F*>(object))(begin, end);
        }) {}

  void operator()(int64_t begin, int64_t end) const { call_(object_, begin, end); }

 private:
  const void* object_;
  void (*call_)(const void*, int64_t, int64_t);
};

// A fixed set of worker threads for data-parallel loops. The calling thread takes part in the work,
// so a pool of 1 owns no thread at all. One loop runs at a time: a pool belongs to one session's
// caller and is not itself thread-safe. Workers look out for the next loop for some tens of
// microseconds, the pace of a model's layers, and then sleep. One that is then woken on the
// caller's core is moved to another.
class ThreadPool {
 public:
  // threads: how many run a loop, the caller included; 0 means one per available core.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const;

  // Calls body(begin, end) over disjoint ranges that cover [0, n), each at least `grain` long but
  // for the last, and returns when all are done. A loop of at most `grain` stays on the calling
  // thread. The first exception thrown by a body is rethrown here, after the others have finished.
  void parallel_for(int64_t n, int64_t grain, LoopBody body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dsv4::kernels
