#include "kernels/parallel/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace dsv4::kernels {
namespace {

struct Loop {
  int64_t n = 0;
  int64_t chunk = 1;
  const std::function<void(int64_t, int64_t)>* body = nullptr;
};

}  // namespace

struct ThreadPool::State {
  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable idle;
  Loop loop;
  std::atomic<int64_t> next{0};
  uint64_t generation = 0;
  int running = 0;
  bool stopping = false;
  std::exception_ptr error;
  std::vector<std::jthread> workers;

  void run_chunks() {
    for (;;) {
      const int64_t begin = next.fetch_add(loop.chunk);
      if (begin >= loop.n) return;
      try {
        (*loop.body)(begin, std::min(begin + loop.chunk, loop.n));
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
      }
    }
  }

  void work() {
    uint64_t seen = 0;
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [&] { return stopping || generation != seen; });
      if (stopping) return;
      seen = generation;
      lock.unlock();
      run_chunks();
      lock.lock();
      if (--running == 0) idle.notify_one();
    }
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  if (threads <= 0) threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  for (int i = 1; i < threads; ++i) {
    state_->workers.emplace_back([state = state_.get()] { state->work(); });
  }
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  state_->workers.clear();  // joins before the state they read goes away
}

int ThreadPool::size() const { return static_cast<int>(state_->workers.size()) + 1; }

void ThreadPool::parallel_for(int64_t n, int64_t grain,
                              const std::function<void(int64_t, int64_t)>& body) {
  if (n <= 0) return;
  grain = std::max<int64_t>(grain, 1);
  if (state_->workers.empty() || n <= grain) {
    body(0, n);
    return;
  }
  State& s = *state_;
  {
    const std::lock_guard lock(s.mutex);
    // Four chunks a thread even out uneven rows without much traffic on the counter.
    const int64_t even = (n + 4 * size() - 1) / (4 * size());
    s.loop = {n, std::max(grain, even), &body};
    s.next = 0;
    s.error = nullptr;
    s.running = static_cast<int>(s.workers.size());
    ++s.generation;
  }
  s.wake.notify_all();
  s.run_chunks();
  std::unique_lock lock(s.mutex);
  s.idle.wait(lock, [&] { return s.running == 0; });
  if (s.error) std::rethrow_exception(std::exchange(s.error, nullptr));
}

}  // namespace dsv4::kernels
