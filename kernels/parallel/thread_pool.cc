#include "kernels/parallel/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "kernels/parallel/other_core.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace dsv4::kernels {
namespace {

void relax() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

// Some tens of microseconds of looking before sleeping.
constexpr int kSpins = 2000;

template <class T>
void await_change(const std::atomic<T>& value, T old) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    relax();
  }
  value.wait(old);
}

// How long workers may take no part in loops before they are moved, the first time and, if that did
// not help, again.
constexpr std::chrono::microseconds kPatience{30};
constexpr std::chrono::microseconds kMorePatience{3000};

struct Loop {
  int64_t n = 0;
  int64_t chunk = 1;
  std::optional<LoopBody> body;
};

}  // namespace

// A loop is open while its fields may be used. A worker first counts itself as active and then
// looks whether the loop is open; the caller first closes the loop and then waits until nobody is
// active. So a worker that wakes late finds a closed loop (or the next one), never a dead one, and
// the caller need not wait for workers that have not woken up.
struct ThreadPool::State {
  Loop loop;
  std::atomic<int64_t> next{0};
  std::atomic<bool> open{false};
  std::atomic<int> active{0};
  std::atomic<int> joined{0};  // workers that found this loop open
  std::atomic<int> epoch{0};   // counts loops; what workers wait on
  std::atomic<bool> stopping{false};
  std::atomic<bool> failed{false};
  std::exception_ptr error;
  std::vector<std::jthread> workers;
  std::optional<std::chrono::steady_clock::time_point> missing_since;  // some worker, all the time
  std::chrono::microseconds patience = kPatience;

  void run_chunks() {
    for (;;) {
      const int64_t begin = next.fetch_add(loop.chunk);
      if (begin >= loop.n) return;
      try {
        (*loop.body)(begin, std::min(begin + loop.chunk, loop.n));
      } catch (...) {
        if (!failed.exchange(true)) error = std::current_exception();
      }
    }
  }

  void work() {
    int seen = 0;
    for (;;) {
      await_change(epoch, seen);
      if (stopping) return;
      seen = epoch;
      ++active;
      if (open) {
        ++joined;
        run_chunks();
      }
      if (--active == 0) active.notify_one();
    }
  }

  // A worker that slept may be woken on the core that the caller keeps busy, and then wait there
  // for tens of milliseconds although another core is free.
  void look_for_missing() {
    if (joined == static_cast<int>(workers.size())) {
      missing_since.reset();
      patience = kPatience;
      return;
    }
    const auto now = std::chrono::steady_clock::now();
    if (!missing_since) missing_since = now;
    if (now - *missing_since < patience) return;
    for (std::jthread& worker : workers) move_off_this_core(worker);
    missing_since = now;
    patience = kMorePatience;
  }

  void wait_until_idle() {
    for (int busy = active; busy != 0; busy = active) await_change(active, busy);
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  if (threads <= 0) threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  for (int i = 1; i < threads; ++i) {
    state_->workers.emplace_back([state = state_.get()] { state->work(); });
  }
}

ThreadPool::~ThreadPool() {
  state_->stopping = true;
  ++state_->epoch;
  state_->epoch.notify_all();
  state_->workers.clear();  // joins before the state they read goes away
}

int ThreadPool::size() const { return static_cast<int>(state_->workers.size()) + 1; }

void ThreadPool::parallel_for(int64_t n, int64_t grain, LoopBody body) {
  if (n <= 0) return;
  grain = std::max<int64_t>(grain, 1);
  if (state_->workers.empty() || n <= grain) {
    body(0, n);
    return;
  }
  State& s = *state_;
  // Four chunks a thread even out uneven rows without much traffic on the counter.
  const int64_t even = (n + 4 * size() - 1) / (4 * size());
  s.loop = {n, std::max(grain, even), body};
  s.next = 0;
  s.failed = false;
  s.joined = 0;
  s.open = true;
  ++s.epoch;
  s.epoch.notify_all();
  s.run_chunks();
  s.open = false;
  s.look_for_missing();
  s.wait_until_idle();
  if (s.failed) std::rethrow_exception(std::exchange(s.error, nullptr));
}

}  // namespace dsv4::kernels
