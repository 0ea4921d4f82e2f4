// Threads whose sessions are computed in common passes.
#include "llm/side_by_side.h"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <random>
#include <thread>

#include "llm/error.h"
#include "tests/catch.h"
#include "tests/llm/fixture.h"

using namespace dsv4;
using llm::Session;
using llm::SideBySide;

namespace {

constexpr size_t kThreads = 4;

struct Opened {
  Fixture fixture{"all_kinds"};
  std::shared_ptr<const llm::Model> model = llm::Model::open(fixture.directory);
  kernels::ThreadPool pool{2};
  SideBySide together{model, pool};

  std::vector<int32_t> random_ids(size_t count, uint32_t seed) const {
    std::mt19937 random(seed);
    std::vector<int32_t> ids(count);
    for (int32_t& id : ids) id = static_cast<int32_t>(random() % model->config().vocab_size);
    return ids;
  }
};

// What one thread appended, and what its session said at the end.
struct Said {
  std::vector<int32_t> ids;
  std::vector<float> logits;
};

template <class Work>
void on_threads(const Work& work) {
  std::vector<std::jthread> threads;
  for (size_t i = 0; i < kThreads; ++i) threads.emplace_back([&work, i] { work(i); });
}

}  // namespace

TEST_CASE("threads that speak at the same time share every pass") {
  Opened o;
  Session root(o.model, o.pool);
  root.append(o.random_ids(40, 1));
  constexpr size_t kIds = 30;
  std::vector<std::unique_ptr<Session>> forks;
  for (size_t i = 0; i < kThreads; ++i) forks.push_back(root.fork());
  std::barrier all_speak(kThreads);
  on_threads([&](size_t i) {
    const SideBySide::Speaker speaker(o.together);
    all_speak.arrive_and_wait();
    for (const int32_t id : o.random_ids(kIds, 100 + static_cast<uint32_t>(i))) {
      o.together.append_sampled(*forks[i], {&id, 1}, {});
    }
    all_speak.arrive_and_wait();
  });
  REQUIRE(o.together.passes() == kIds);
  for (size_t i = 0; i < kThreads; ++i) {
    const auto alone = root.fork();
    alone->append(o.random_ids(kIds, 100 + static_cast<uint32_t>(i)));
    REQUIRE(std::ranges::equal(forks[i]->logits(), alone->logits()));
  }
}

TEST_CASE("what a thread says does not depend on what others say, fork and end meanwhile") {
  const uint32_t seed = GENERATE(1u, 2u, 3u);
  Opened o;
  Session root(o.model, o.pool);
  root.append(o.random_ids(60, seed));
  std::vector<Said> said(kThreads);
  on_threads([&](size_t i) {
    std::mt19937 random(seed * 10 + static_cast<uint32_t>(i));
    auto session = o.together.apart([&] { return root.fork(); });
    for (int turn = 0; turn < 12; ++turn) {
      const auto ids = o.random_ids(1 + random() % 40, static_cast<uint32_t>(random()));
      auto before = o.together.apart([&] { return session->fork(); });
      {
        const SideBySide::Speaker speaker(o.together);
        for (size_t at = 0; at < ids.size();) {
          const size_t some = std::min<size_t>(1 + random() % 5, ids.size() - at);
          const auto next = std::span(ids).subspan(at, some);
          if (some < 3) {
            o.together.append_sampled(*session, next, {});
          } else {
            o.together.append(*session, next, {}, {});
          }
          at += some;
        }
      }
      if (random() % 3 == 0) {  // taken back
        o.together.apart([&] { session = before->fork(); });
      } else {
        said[i].ids.insert(said[i].ids.end(), ids.begin(), ids.end());
      }
      o.together.apart([&] { before.reset(); });
    }
    said[i].logits.assign(session->logits().begin(), session->logits().end());
    o.together.apart([&] { session.reset(); });
  });
  for (const Said& s : said) {
    const auto alone = root.fork();
    alone->append(s.ids);
    REQUIRE(std::ranges::equal(s.logits, alone->logits()));
  }
}

TEST_CASE("a thread that is stopped, or asks for what is wrong, leaves the others to go on") {
  Opened o;
  Session root(o.model, o.pool);
  root.append(o.random_ids(20, 5));
  std::vector<std::unique_ptr<Session>> forks;
  for (size_t i = 0; i < kThreads; ++i) forks.push_back(root.fork());
  std::stop_source stop;
  std::atomic<bool> stopped = false;
  std::atomic<bool> refused = false;
  std::barrier all_speak(kThreads);
  on_threads([&](size_t i) {
    const SideBySide::Speaker speaker(o.together);
    all_speak.arrive_and_wait();
    if (i == 0) {
      stop.request_stop();
      stopped = !o.together.append(*forks[0], o.random_ids(10, 6), {}, stop.get_token());
    } else if (i == 1) {
      try {
        const int32_t none = 1 << 20;
        o.together.append_sampled(*forks[1], {&none, 1}, {});
      } catch (const llm::FormatError&) {
        refused = true;
      }
    } else {
      o.together.append(*forks[i], o.random_ids(300, 7), {}, {});
    }
  });
  REQUIRE(stopped);
  REQUIRE(refused);
  REQUIRE(forks[0]->position() == 20);
  REQUIRE(forks[1]->position() == 20);
  for (size_t i = 2; i < kThreads; ++i) REQUIRE(forks[i]->position() == 320);
}
