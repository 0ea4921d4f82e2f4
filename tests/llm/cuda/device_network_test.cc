// The network on a card against the one on the processor.
#include <algorithm>
#include <filesystem>

#include "kernels/cuda/device.h"
#include "llm/error.h"
#include "llm/session.h"
#include "llm/session_store.h"
#include "llm/tokenizer.h"
#include "tests/catch.h"
#include "tests/kernels/random.h"
#include "tests/llm/fixture.h"

using namespace dsv4;
using llm::Session;
using llm::SessionOptions;

namespace {

constexpr double kClose = 2e-3;  // of the largest logit; sums are taken in another order

// A model on the processor and on the card, and a session on each.
struct Both {
  explicit Both(const std::filesystem::path& directory)
      : host(llm::Model::open(directory)), card(llm::Model::open(directory, "cuda")) {}
  explicit Both(const Fixture& fixture) : Both(fixture.directory) {}

  std::shared_ptr<const llm::Model> host, card;
  kernels::ThreadPool pool{2};
};

struct Pair {
  Pair(Both& both, const SessionOptions& options)
      : host(std::make_unique<Session>(both.host, both.pool, options)),
        card(std::make_unique<Session>(both.card, both.pool, options)) {}
  Pair(std::unique_ptr<Session> a, std::unique_ptr<Session> b)
      : host(std::move(a)), card(std::move(b)) {}

  Pair fork() const { return {host->fork(), card->fork()}; }
  void append(std::span<const int32_t> ids) {
    host->append(ids);
    card->append(ids);
  }
  void rewind(int64_t position) {
    host->rewind(position);
    card->rewind(position);
  }

  std::unique_ptr<Session> host, card;
};

void require_same(const Session& expected, const Session& got, double close = kClose) {
  const std::vector<float> logits(expected.logits().begin(), expected.logits().end());
  REQUIRE(got.logits().size() == logits.size());
  REQUIRE(distance(got.logits().data(), logits.data(), logits.size(), largest(logits)) < close);
}

SessionOptions with(llm::Precision precision, int64_t chunk) {
  SessionOptions options;
  options.precision = precision;
  options.chunk = chunk;
  options.draft = false;
  return options;
}

constexpr llm::Precision kPrecisions[] = {llm::Precision::kF32, llm::Precision::kExact,
                                          llm::Precision::kFast};

}  // namespace

TEST_CASE("a card computes the logits that the processor does, whatever the chunks") {
  for (const char* name : {"all_kinds", "four_streams", "odd_sizes"}) {
    const Fixture fixture(name);
    const std::span<const int32_t> ids(fixture.ids);
    Both both(fixture);
    for (const llm::Precision precision : kPrecisions) {
      for (const int64_t chunk : {19, 128}) {
        INFO(name << " in chunks of " << chunk << ", precision " << static_cast<int>(precision));
        Pair pair(both, with(precision, chunk));
        pair.append(ids.first(130));
        require_same(*pair.host, *pair.card);
        for (size_t i = 130; i < 139; ++i) pair.append(ids.subspan(i, 1));
        require_same(*pair.host, *pair.card);
      }
    }
  }
}

TEST_CASE("sessions on a card fork and rewind as on the processor") {
  const Fixture fixture("all_kinds");
  Both both(fixture);
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  const auto below = [&](int64_t n) { return random.integer(0, n - 1); };
  SessionOptions options = with(llm::Precision::kF32, 1 + below(40));
  options.checkpoint_every = 1 + below(50);
  std::vector<Pair> pairs;
  pairs.emplace_back(both, options);
  for (int step = 0; step < 20; ++step) {
    const auto at = static_cast<size_t>(below(static_cast<int64_t>(pairs.size())));
    const int64_t what = below(4);
    if (what == 0 && pairs.size() < 4) {
      pairs.push_back(pairs[at].fork());
    } else if (what == 1 && pairs[at].host->position() > 0) {
      pairs[at].rewind(1 + below(pairs[at].host->position()));
    } else {
      std::vector<int32_t> ids;
      for (int64_t i = 1 + below(60); i > 0; --i) {
        ids.push_back(static_cast<int32_t>(below(both.host->config().vocab_size)));
      }
      pairs[at].append(ids);
    }
    if (pairs[at].host->position() > 0) require_same(*pairs[at].host, *pairs[at].card);
  }
}

TEST_CASE("a session saved on a card goes on on the processor, and the other way round") {
  const Fixture fixture("all_kinds");
  Both both(fixture);
  const auto directory = std::filesystem::temp_directory_path() / "dsv4-card-sessions";
  std::filesystem::remove_all(directory);
  const SessionOptions options = with(llm::Precision::kExact, 64);
  const std::span<const int32_t> ids(fixture.ids);
  Pair pair(both, options);
  pair.append(ids.first(ids.size() / 2));
  const auto moved = [&](const Session& from, const std::shared_ptr<const llm::Model>& to,
                         const char* name) {
    llm::SessionStore store({directory / name});
    const llm::Digest key = store.save(from).key;
    auto session = std::make_unique<Session>(to, both.pool, options);
    REQUIRE(store.load(*session, key));
    return session;
  };
  Pair swapped(moved(*pair.card, both.host, "card"), moved(*pair.host, both.card, "host"));
  pair.append(ids.subspan(ids.size() / 2));
  swapped.append(ids.subspan(ids.size() / 2));
  require_same(*pair.host, *swapped.host);
  require_same(*pair.host, *swapped.card);
  std::filesystem::remove_all(directory);
}

TEST_CASE("the embedded model chooses the same tokens on a card") {
  const std::filesystem::path nano = std::filesystem::path(DSV4_SOURCE_DIR) / "llm/nano/model";
  Both both(nano);
  Pair pair(both, with(llm::Precision::kExact, 64));
  pair.append(llm::Tokenizer::load(nano).encode_data(
      "def clamp(value, low, high):\n    if value < low:\n        return value\n"));
  const auto best = [](const Session& s) {
    return static_cast<int32_t>(std::max_element(s.logits().begin(), s.logits().end()) -
                                s.logits().begin());
  };
  // Other sums may fall on the other side of a rounding boundary now and then.
  constexpr double kRounded = 0.2;
  for (int step = 0; step < 100; ++step) {
    require_same(*pair.host, *pair.card, kRounded);
    REQUIRE(best(*pair.host) == best(*pair.card));
    const int32_t next = best(*pair.host);
    pair.append({&next, 1});
  }
}

TEST_CASE("a device that is not there is refused by name") {
  const Fixture fixture("all_kinds");
  for (const char* device : {"cuda:7", "tpu", "cuda:", "cuda:x"}) {
    REQUIRE_THROWS_AS(llm::Model::open(fixture.directory, device), llm::DeviceUnavailable);
  }
}
