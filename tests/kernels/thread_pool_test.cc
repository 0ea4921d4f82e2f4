#include "kernels/parallel/thread_pool.h"

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
#endif

#include "kernels/parallel/other_core.h"
#include "tests/catch.h"

using dsv4::kernels::ThreadPool;

TEST_CASE("every index of a parallel loop runs exactly once") {
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    for (const int64_t n : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> hits(static_cast<size_t>(n));
      pool.parallel_for(n, 3, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) ++hits[static_cast<size_t>(i)];
      });
      for (const auto& h : hits) REQUIRE(h == 1);
    }
  }
}

TEST_CASE("an exception in a loop body reaches the caller and the pool stays usable") {
  ThreadPool pool(3);
  REQUIRE_THROWS_AS(pool.parallel_for(100, 1,
                                      [](int64_t begin, int64_t) {
                                        if (begin > 10) throw std::runtime_error("row");
                                      }),
                    std::runtime_error);
  std::atomic<int64_t> sum{0};
  pool.parallel_for(10, 1, [&](int64_t begin, int64_t end) { sum += end - begin; });
  REQUIRE(sum == 10);
}

TEST_CASE("many short loops in a row each finish before the next begins") {
  ThreadPool pool(4);
  std::vector<int64_t> values(64, 0);
  for (int64_t round = 0; round < 3000; ++round) {
    pool.parallel_for(64, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) values[static_cast<size_t>(i)] += round;
    });
  }
  for (const int64_t v : values) REQUIRE(v == 3000 * 2999 / 2);
}

TEST_CASE("a loop of at most one grain stays on the calling thread") {
  ThreadPool pool(4);
  std::thread::id runner;
  pool.parallel_for(100, 100, [&](int64_t, int64_t) { runner = std::this_thread::get_id(); });
  REQUIRE(runner == std::this_thread::get_id());
}

#if defined(__linux__)
TEST_CASE("a thread that was moved off the caller's core may later run where it could before") {
  cpu_set_t allowed;
  REQUIRE(pthread_getaffinity_np(pthread_self(), sizeof(allowed), &allowed) == 0);
  std::jthread thread([](const std::stop_token& stop) {
    while (!stop.stop_requested()) std::this_thread::yield();
  });
  for (int i = 0; i < 20; ++i) dsv4::kernels::move_off_this_core(thread);
  cpu_set_t after;
  REQUIRE(pthread_getaffinity_np(thread.native_handle(), sizeof(after), &after) == 0);
  REQUIRE(CPU_EQUAL(&allowed, &after));
}
#endif
