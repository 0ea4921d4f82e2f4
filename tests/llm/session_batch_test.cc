// Sessions that are computed together.
#include "llm/session_batch.h"

#include <algorithm>
#include <random>

#include "llm/error.h"
#include "tests/catch.h"
#include "tests/llm/fixture.h"

using namespace dsv4;
using llm::BatchPart;
using llm::Session;
using llm::SessionBatch;
using llm::SessionOptions;

namespace {

struct Opened {
  explicit Opened(const char* name) : fixture(name), model(llm::Model::open(fixture.directory)) {}
  Fixture fixture;
  std::shared_ptr<const llm::Model> model;
  kernels::ThreadPool pool{2};
};

std::vector<float> copy(std::span<const float> logits) { return {logits.begin(), logits.end()}; }

// A session beside the ids it should have seen.
struct Walker {
  std::unique_ptr<Session> session;
  std::vector<int32_t> ids;
};

class Walk {
 public:
  Walk(Opened& o, llm::Precision precision, uint32_t seed)
      : opened_(o), random_(seed), vocab_(o.model->config().vocab_size), batch_(o.model, o.pool) {
    options_.precision = precision;
    options_.chunk = 1 + below(120);
    options_.checkpoint_every = 1 + below(150);
    for (int i = 0; i < 2; ++i) {  // two families of forks
      walkers_.push_back({std::make_unique<Session>(o.model, o.pool, options_), {}});
    }
  }

  void run() {
    for (int step = 0; step < 60; ++step) {
      Walker& w = walkers_[static_cast<size_t>(below(static_cast<int64_t>(walkers_.size())))];
      switch (below(7)) {
        case 0:
          if (walkers_.size() < 6) walkers_.push_back({w.session->fork(), w.ids});
          break;
        case 1:
          rewind(w);
          break;
        case 2:
          say_again(w);
          break;
        case 3:
          append_alone(w);
          break;
        default:
          together();
      }
    }
    for (const Walker& w : walkers_) check(w);
  }

 private:
  int64_t below(int64_t n) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(n)); }

  std::vector<int32_t> some_ids(const Walker& w, int64_t most) {
    std::vector<int32_t> ids(static_cast<size_t>(1 + below(w.ids.size() > 450 ? 3 : most)));
    for (int32_t& id : ids) id = static_cast<int32_t>(below(vocab_));
    return ids;
  }

  void rewind(Walker& w) {
    const int64_t to = below(static_cast<int64_t>(w.ids.size()) + 1);
    w.session->rewind(to);
    w.ids.resize(static_cast<size_t>(to));
  }

  void append_alone(Walker& w) {
    const std::vector<int32_t> more = some_ids(w, 140);
    w.session->append(more);
    w.ids.insert(w.ids.end(), more.begin(), more.end());
  }

  // What is there already, sampled again: leaves guesses behind that a batch then meets.
  void say_again(Walker& w) {
    if (w.ids.empty()) return;
    auto from = static_cast<size_t>(below(static_cast<int64_t>(w.ids.size())));
    for (int64_t i = 2 + below(20); i > 0; --i) {
      const int32_t id = w.ids[from++];
      w.session->append_sampled(id);
      w.ids.push_back(id);
    }
  }

  // Some of the sessions, in some order, with single ids or with many.
  void together() {
    std::shuffle(walkers_.begin(), walkers_.end(), random_);
    const auto members = static_cast<size_t>(1 + below(static_cast<int64_t>(walkers_.size())));
    const bool single = below(2) == 0;
    for (int64_t rounds = 1 + below(single ? 20 : 3); rounds > 0; --rounds) {
      std::vector<std::vector<int32_t>> ids(members);
      std::vector<BatchPart> parts;
      for (size_t i = 0; i < members; ++i) {
        const Walker& w = walkers_[i];
        ids[i] = some_ids(w, single ? 1 : 70);
        // Sometimes what a guess would say.
        if (!w.ids.empty() && below(3) == 0) {
          ids[i].front() = w.ids[static_cast<size_t>(below(static_cast<int64_t>(w.ids.size())))];
        }
        parts.push_back({w.session.get(), ids[i]});
      }
      const std::vector<int64_t> appended = batch_.append(parts);
      for (size_t i = 0; i < members; ++i) {
        REQUIRE(appended[i] >= 1);
        REQUIRE(appended[i] <= static_cast<int64_t>(ids[i].size()));
        walkers_[i].ids.insert(walkers_[i].ids.end(), ids[i].begin(),
                               ids[i].begin() + static_cast<std::ptrdiff_t>(appended[i]));
      }
    }
  }

  void check(const Walker& w) {
    REQUIRE(w.session->ids() == w.ids);
    if (w.ids.empty()) return;
    SessionOptions plain;
    plain.precision = options_.precision;
    Session alone(opened_.model, opened_.pool, plain);
    alone.append(w.ids);
    REQUIRE(copy(w.session->logits()) == copy(alone.logits()));
  }

  Opened& opened_;
  std::mt19937 random_;
  int64_t vocab_;
  SessionOptions options_;
  std::vector<Walker> walkers_;
  SessionBatch batch_;
};

void walk(const char* fixture, llm::Precision precision) {
  Opened o(fixture);
  const uint32_t seed = std::random_device{}();
  for (uint32_t i = 0; i < 6; ++i) {
    INFO(fixture << ", seed " << seed + i);
    Walk(o, precision, seed + i).run();
  }
}

}  // namespace

TEST_CASE("logits do not depend on the batches that a session was in") {
  walk("all_kinds", llm::Precision::kF32);
  walk("odd_sizes", llm::Precision::kF32);
}

TEST_CASE("the same holds for packed rows and rounded activations") {
  walk("published", llm::Precision::kExact);
  walk("published", llm::Precision::kFast);
}

TEST_CASE("batched forks cross the borders of windows and blocks like a lone session") {
  Opened o("published");
  SessionOptions options;
  options.precision = llm::Precision::kExact;
  std::vector<int32_t> all(300);
  for (size_t i = 0; i < all.size(); ++i) {
    all[i] = static_cast<int32_t>(i * i % static_cast<size_t>(o.model->config().vocab_size));
  }
  const std::span<const int32_t> ids = all;
  SessionBatch batch(o.model, o.pool);
  for (const size_t cut : {1, 3, 125, 253}) {
    Session trunk(o.model, o.pool, options);
    trunk.append(ids.first(cut));
    std::vector<std::unique_ptr<Session>> forks;
    std::vector<std::unique_ptr<Session>> alone;
    for (int i = 0; i < 3; ++i) {
      forks.push_back(trunk.fork());
      alone.push_back(trunk.fork());
    }
    for (size_t p = cut; p < cut + 8; ++p) {
      std::vector<int32_t> next;
      for (size_t i = 0; i < 3; ++i) next.push_back(ids[(p + 17 * i) % ids.size()]);
      std::vector<BatchPart> parts;
      for (size_t i = 0; i < 3; ++i) parts.push_back({forks[i].get(), {&next[i], 1}});
      REQUIRE(batch.append(parts) == std::vector<int64_t>{1, 1, 1});
      for (size_t i = 0; i < 3; ++i) {
        INFO("fork " << i << " at " << p);
        alone[i]->append({&next[i], 1});
        REQUIRE(copy(forks[i]->logits()) == copy(alone[i]->logits()));
      }
    }
  }
}

TEST_CASE("checkpoints fall due in a batch as they do alone") {
  Opened o("all_kinds");
  SessionOptions options;
  options.checkpoint_every = 10;
  options.chunk = 64;
  Session one(o.model, o.pool, options);
  Session other(o.model, o.pool, options);
  const std::span<const int32_t> ids = o.fixture.ids;
  other.append(ids.first(4));
  const std::vector<BatchPart> parts = {{&one, ids.first(30)}, {&other, ids.first(30)}};
  REQUIRE(SessionBatch(o.model, o.pool).append(parts) == std::vector<int64_t>{10, 6});
  REQUIRE(one.checkpoints() == std::vector<int64_t>{10});
  REQUIRE(other.checkpoints() == std::vector<int64_t>{10});
  const std::vector<float> there = copy(other.logits());
  other.append(ids.first(5));
  REQUIRE(other.rewind(10) == 0);
  REQUIRE(copy(other.logits()) == there);
}

TEST_CASE("sessions that cannot be computed together are refused before anything is computed") {
  Opened o("published");
  const std::vector<int32_t> ids = {1, 2};
  Session session(o.model, o.pool);
  SessionBatch batch(o.model, o.pool);
  const auto refused = [&](Session& other) {
    REQUIRE_THROWS_AS(batch.append(std::vector<BatchPart>{{&session, ids}, {&other, ids}}),
                      llm::Error);
    REQUIRE(session.position() == 0);
  };
  refused(session);
  SessionOptions options;
  options.precision = llm::Precision::kF32;
  Session unrounded(o.model, o.pool, options);
  refused(unrounded);
  options.precision = llm::Precision::kFast;
  Session packed(o.model, o.pool, options);
  refused(packed);
  const std::shared_ptr<const llm::Model> again = llm::Model::open(o.fixture.directory);
  Session stranger(again, o.pool);
  refused(stranger);

  Session good(o.model, o.pool);
  const std::vector<int32_t> bad = {static_cast<int32_t>(o.model->config().vocab_size)};
  REQUIRE_THROWS_AS(batch.append(std::vector<BatchPart>{{&session, ids}, {&good, bad}}),
                    llm::FormatError);
  REQUIRE_THROWS_AS(batch.append(std::vector<BatchPart>{{&session, ids}, {&good, {}}}), llm::Error);
  REQUIRE(session.position() == 0);
  REQUIRE(batch.append({}).empty());
}
