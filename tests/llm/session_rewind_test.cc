// Going back, branching and what the past costs.
#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "llm/error.h"
#include "llm/layer_state.h"
#include "llm/page_list.h"
#include "llm/session.h"
#include "llm/session_checkpoints.h"
#include "tests/catch.h"
#include "tests/llm/fixture.h"

using namespace dsv4;
using llm::Session;
using llm::SessionOptions;

namespace {

struct Opened {
  explicit Opened(const char* name) : fixture(name), model(llm::Model::open(fixture.directory)) {}
  Fixture fixture;
  std::shared_ptr<const llm::Model> model;
  kernels::ThreadPool pool{2};
};

std::vector<float> copy(std::span<const float> logits) { return {logits.begin(), logits.end()}; }

// The logits of a session that never did anything else.
std::vector<float> straight(Opened& o, const std::vector<int32_t>& ids, llm::Precision precision) {
  SessionOptions options;
  options.precision = precision;
  Session session(o.model, o.pool, options);
  session.append(ids);
  return copy(session.logits());
}

// A session beside the ids it should have seen.
struct Walker {
  std::unique_ptr<Session> session;
  std::vector<int32_t> ids;
};

void random_walk(Opened& o, llm::Precision precision, uint32_t seed) {
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto below = [&](int64_t n) {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(n));
  };
  SessionOptions options;
  options.precision = precision;
  options.chunk = 1 + below(90);
  options.checkpoint_every = 1 + below(150);
  std::vector<Walker> walkers;
  walkers.push_back({std::make_unique<Session>(o.model, o.pool, options), {}});
  const int64_t vocab = o.model->config().vocab_size;
  for (int step = 0; step < 40; ++step) {
    const auto at = static_cast<size_t>(below(static_cast<int64_t>(walkers.size())));
    Walker& w = walkers[at];
    const auto length = static_cast<int64_t>(w.ids.size());
    switch (below(6)) {
      case 5:
        // What is sampled repeats what is there, mostly: guesses that are right, and then are not.
        for (int64_t i = 0, from = length > 0 ? below(length) : 0; i < 60; ++i, ++from) {
          const bool again = from < static_cast<int64_t>(w.ids.size()) && below(12) != 0;
          const auto id =
              again ? w.ids[static_cast<size_t>(from)] : static_cast<int32_t>(below(vocab));
          w.session->append_sampled(id);
          w.ids.push_back(id);
        }
        break;
      case 0:
        if (walkers.size() < 4) walkers.push_back({w.session->fork(), w.ids});
        break;
      case 1: {
        const int64_t to = below(length + 1);
        w.session->rewind(to);
        w.ids.resize(static_cast<size_t>(to));
        break;
      }
      case 2:
        w.session->checkpoint();
        break;
      default: {
        std::vector<int32_t> more(static_cast<size_t>(1 + below(length > 500 ? 3 : 140)));
        for (int32_t& id : more) id = static_cast<int32_t>(below(vocab));
        w.session->append(more);
        w.ids.insert(w.ids.end(), more.begin(), more.end());
      }
    }
  }
  for (const Walker& w : walkers) {
    REQUIRE(w.session->position() == static_cast<int64_t>(w.ids.size()));
    REQUIRE(w.session->ids() == w.ids);
    if (w.ids.empty()) continue;
    REQUIRE(copy(w.session->logits()) == straight(o, w.ids, precision));
  }
}

}  // namespace

TEST_CASE("after any forks, rewinds and appends the logits are those of a straight run") {
  for (const char* name : {"all_kinds", "odd_sizes"}) {
    Opened o(name);
    const uint32_t seed = std::random_device{}();
    for (uint32_t i = 0; i < 6; ++i) random_walk(o, llm::Precision::kF32, seed + i);
  }
}

TEST_CASE("the same holds for packed rows") {
  Opened o("published");
  const uint32_t seed = std::random_device{}();
  for (uint32_t i = 0; i < 6; ++i) {
    random_walk(o, i % 2 == 0 ? llm::Precision::kExact : llm::Precision::kFast, seed + i);
  }
}

TEST_CASE("rewinding to a checkpoint computes nothing, and between checkpoints only the gap") {
  Opened o("all_kinds");
  SessionOptions options;
  options.checkpoint_every = 100;
  Session session(o.model, o.pool, options);
  session.append(std::span(o.fixture.ids).first(257));
  session.checkpoint();
  const std::vector<float> there = copy(session.logits());
  session.append(std::span(o.fixture.ids).subspan(257, 40));
  REQUIRE(session.checkpoints() == std::vector<int64_t>{100, 200, 257});
  REQUIRE(session.rewind(290) == 33);
  REQUIRE(session.rewind(257) == 0);
  REQUIRE(copy(session.logits()) == there);
  REQUIRE(session.rewind(200) == 0);
  REQUIRE(session.rewind(30) == 30);
  REQUIRE(session.rewind(0) == 0);
  REQUIRE(session.logits().empty());
  REQUIRE_THROWS_AS(session.rewind(1), llm::Error);
  REQUIRE_THROWS_AS(session.rewind(-1), llm::Error);
}

TEST_CASE("the older checkpoints are, the farther apart they lie") {
  llm::SessionCheckpoints checkpoints;
  for (int64_t p = 10; p <= 200'000; p += 10) {
    auto made = std::make_shared<llm::SessionCheckpoint>();
    made->position = p;
    checkpoints.add(std::move(made));
  }
  const auto& all = checkpoints.all();
  REQUIRE(all.size() < 120);
  for (size_t i = 0; i + 1 < all.size(); ++i) {
    const int64_t age = 200'000 - all[i]->position;
    REQUIRE(all[i + 1]->position - all[i]->position <= std::max<int64_t>(10, age / 8 + 10));
  }
  REQUIRE(checkpoints.before(200'000)->position == 200'000);
  REQUIRE(checkpoints.before(5) == nullptr);
}

TEST_CASE("forks share the pages of what they have in common") {
  Opened o("all_kinds");
  Session session(o.model, o.pool);
  session.append(std::span(o.fixture.ids).first(512));
  const int64_t alone = session.page_bytes();
  {
    std::vector<std::unique_ptr<Session>> forks;
    for (int i = 0; i < 20; ++i) forks.push_back(session.fork());
    REQUIRE(session.page_bytes() == alone);
    forks.front()->append(std::span(o.fixture.ids).first(1));
    REQUIRE(session.page_bytes() > alone);
    REQUIRE(session.page_bytes() < 2 * alone);
  }
  REQUIRE(session.page_bytes() == alone);
}

TEST_CASE("forks share their windows and frontiers until they write to them") {
  Opened o("all_kinds");
  Session session(o.model, o.pool);
  session.append(std::span(o.fixture.ids).first(512));
  const int64_t alone = session.ring_bytes();
  {
    std::vector<std::unique_ptr<Session>> forks;
    for (int i = 0; i < 20; ++i) forks.push_back(session.fork());
    REQUIRE(session.ring_bytes() == alone);
    for (const auto& fork : forks) fork->append(std::span(o.fixture.ids).first(1));
    const int64_t each = (session.ring_bytes() - alone) / 20;
    REQUIRE(each > 0);
    REQUIRE(each < alone / 2);
  }
  REQUIRE(session.ring_bytes() == alone);
}

TEST_CASE("a packed position takes what the model defines") {
  Opened o("published");
  SessionOptions options;
  options.precision = llm::Precision::kFast;
  Session session(o.model, o.pool, options);
  const llm::Config& c = o.model->config();
  std::vector<int32_t> ids(1024);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>(i) % 48;
  // Whole pages for every layer: 128 entries of ratio 128 would take 16,384 ids.
  session.append(ids);
  int64_t expected = 8 * llm::PageList::kRowsPerPage * 4;  // the ids
  const kernels::RowLayout row{kernels::RowFormat::kFp8Bf16, c.head_dim, c.rope_dim};
  const kernels::RowLayout index{kernels::RowFormat::kFp4, c.index_head_dim, 0};
  for (const llm::LayerConfig& layer : c.layers) {
    if (!layer.compresses()) continue;
    const int64_t entries = 1024 / layer.compress_ratio;
    const int64_t pages = (entries + 127) / 128;
    expected += pages * 128 * (row.bytes() + (layer.overlaps() ? index.bytes() : 0));
  }
  REQUIRE(session.page_bytes() == expected);
}

TEST_CASE("the cache of V4-Flash takes 3.5 KB a token, by the allocator's own count") {
  std::ifstream in(std::string(DSV4_SOURCE_DIR) + "/tests/fuzz/seeds/config/flash");
  const llm::Config c = llm::parse_config(nlohmann::json::parse(in), "flash");
  REQUIRE(c.layers.size() == 43);
  const auto bytes_per_token = [&](llm::Precision precision) {
    constexpr int64_t kTokens = 131'072;
    const llm::StateMemory memory;
    llm::PageList past(sizeof(int32_t), memory.pages);
    past.resize(kTokens);
    std::vector<llm::LayerState> layers;
    for (const llm::LayerConfig& layer : c.layers) {
      layers.emplace_back(c, layer, llm::stored_rows(precision), memory);
      for (llm::CompressorState& s : layers.back().compressor) {
        s.entries.resize(kTokens / layer.compress_ratio);
      }
      for (llm::CompressorState& s : layers.back().indexer) {
        s.entries.resize(kTokens / layer.compress_ratio);
      }
    }
    return static_cast<double>(memory.pages->bytes()) / kTokens;
  };
  // 21 layers keep 583 + 68 bytes for every 4 positions, 20 keep 583 for every 128; the id is 4.
  REQUIRE(bytes_per_token(llm::Precision::kFast) ==
          Approx(21.0 * (583 + 68) / 4 + 20.0 * 583 / 128 + 4));
  // Exact leaves the rotated channels as they are.
  REQUIRE(bytes_per_token(llm::Precision::kExact) ==
          Approx(21.0 * (711 + 68) / 4 + 20.0 * 711 / 128 + 4));
}
