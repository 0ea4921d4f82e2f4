// Guessing ahead changes the time that ids take, and nothing else.
#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "llm/sampler.h"
#include "llm/session.h"
#include "llm/tokenizer.h"
#include "tests/catch.h"
#include "tests/llm/fixture.h"

using namespace dsv4;
using llm::DraftCounts;
using llm::Session;

namespace {

const std::filesystem::path kNano = DSV4_SOURCE_DIR "/llm/nano/model";

llm::SessionOptions with(bool draft, bool always = false) {
  llm::SessionOptions options;
  options.draft = draft;
  options.draft_always = always;
  options.checkpoint_every = 97;
  return options;
}

bool same_logits(const Session& a, const Session& b) {
  return std::equal(a.logits().begin(), a.logits().end(), b.logits().begin(), b.logits().end());
}

std::vector<int32_t> nano_prompt() {
  const std::string text =
      "def clamp(value, low, high):\n    if value < low:\n        return value\n    return high\n\n"
      "def clamp_low(value, low):\n    if value < low:\n        return low\n    return value\n";
  return llm::Tokenizer::load(kNano).encode_data(text + text);
}

// What a session says by itself, and the logits after it.
std::vector<int32_t> own_words(Session& session, const llm::Sampling& sampling, int count) {
  llm::Sampler sampler(sampling);
  std::vector<int32_t> ids;
  for (int i = 0; i < count; ++i) {
    ids.push_back(sampler.sample(session.logits()));
    session.append_sampled(ids.back());
  }
  return ids;
}

}  // namespace

TEST_CASE("the logits after sampled ids are the same with guesses and without") {
  for (const char* name : {"all_kinds", "published"}) {
    for (const bool always : {false, true}) {
      const Fixture fixture(name);
      const auto model = llm::Model::open(fixture.directory);
      kernels::ThreadPool pool(2);
      Session a(model, pool, with(false));
      Session b(model, pool, with(true, always));
      a.append(fixture.ids);
      b.append(fixture.ids);
      std::mt19937 random(5);
      for (int i = 0; i < 400; ++i) {
        INFO(name << ", always " << always << ", round " << i);
        // Text that repeats: every so often it goes elsewhere.
        const size_t at = static_cast<size_t>(i + (i / 50) * 7) % fixture.ids.size();
        std::vector<int32_t> ids{random() % 16 == 0 ? 1 : fixture.ids[at]};
        // Now and then several at once, as when a grammar leaves no choice.
        const int32_t after = fixture.ids[(at + 1) % fixture.ids.size()];
        if (random() % 8 == 0) ids.resize(1 + random() % 40, after);
        REQUIRE(a.append_sampled(ids));
        REQUIRE(b.append_sampled(ids));
        REQUIRE(same_logits(a, b));
      }
      REQUIRE(a.drafts().guessed == 0);
      REQUIRE(b.drafts().right > 0);
      if (always) REQUIRE((b.drafts().predicted > 0) == !model->weights().mtp.empty());
      REQUIRE(b.position() == a.position());
    }
  }
}

TEST_CASE("a session that guesses goes back, forks and reads on like one that does not") {
  for (const std::filesystem::path& directory : {Fixture("published").directory, kNano}) {
    const auto model = llm::Model::open(directory);
    const auto vocab = static_cast<uint32_t>(model->config().vocab_size);
    kernels::ThreadPool pool(2);
    // Forks go on by turns: none may see what another has guessed.
    struct Pair {
      std::shared_ptr<Session> plain, drafting;
    };
    std::vector<Pair> pairs{{std::make_shared<Session>(model, pool, with(false)),
                             std::make_shared<Session>(model, pool, with(true, true))}};
    std::mt19937 random(11);
    const auto some_ids = [&](size_t most) {
      std::vector<int32_t> ids(1 + random() % most);
      for (int32_t& id : ids) id = static_cast<int32_t>(random() % std::min(vocab, 12u));
      return ids;
    };
    int64_t predicted = 0, right = 0;
    for (int i = 0; i < 400; ++i) {
      INFO(directory.filename() << ", round " << i);
      Pair& pair = pairs[random() % pairs.size()];
      Session& a = *pair.plain;
      Session& b = *pair.drafting;
      const DraftCounts before = b.drafts();
      const unsigned what = random() % 16;
      if (what == 0) {
        const std::vector<int32_t> ids = some_ids(100);
        a.append(ids);
        b.append(ids);
      } else if (what == 1 && a.position() > 0) {
        const int64_t to = std::max<int64_t>(1, a.position() - static_cast<int64_t>(random() % 60));
        a.rewind(to);
        b.rewind(to);
      } else if (what == 2) {
        Pair copy{a.fork(), b.fork()};
        if (pairs.size() < 4) {
          pairs.push_back(std::move(copy));
        } else {
          pairs[random() % pairs.size()] = std::move(copy);
        }
        continue;
      } else {
        // Best ids of the model's own, which the MTP layer often knows, and others.
        const bool own = what < 12 && a.position() > 0;
        const std::vector<int32_t> ids =
            own ? std::vector<int32_t>{llm::greedy(a.logits())} : some_ids(2);
        a.append_sampled(ids);
        b.append_sampled(ids);
      }
      REQUIRE(same_logits(a, b));
      REQUIRE(b.ids() == a.ids());
      predicted += b.drafts().predicted - before.predicted;
      right += b.drafts().right - before.right;
    }
    REQUIRE(predicted > 0);
    REQUIRE(right > 0);
  }
}

TEST_CASE("the embedded model says the same with guesses and without") {
  const auto model = llm::Model::open(kNano);
  kernels::ThreadPool pool(2);
  const std::vector<int32_t> prompt = nano_prompt();
  llm::Sampling best;
  best.temperature = 0;
  llm::Sampling drawn;
  drawn.seed = 3;
  llm::Sampling narrow;
  narrow.top_k = 20;
  narrow.temperature = 0.6;
  for (const llm::Sampling& sampling : {best, drawn, narrow}) {
    for (const bool always : {false, true}) {
      Session plain(model, pool, with(false));
      Session drafting(model, pool, with(true, always));
      plain.append(prompt);
      drafting.append(prompt);
      REQUIRE(own_words(drafting, sampling, 500) == own_words(plain, sampling, 500));
      REQUIRE(same_logits(plain, drafting));
      if (!always) continue;
      REQUIRE(drafting.drafts().predicted_right > 0);
      REQUIRE(drafting.drafts().steps < 400);
    }
  }
}

// The chance of each pair of ids from the logits alone, and how often a session that guesses draws
// it: chi-squared over the pairs that are expected often enough, the rest as one.
TEST_CASE("pairs of ids are drawn as often as they should be while their second is guessed") {
  const Fixture fixture("published");
  const auto model = llm::Model::open(fixture.directory);
  kernels::ThreadPool pool(1);
  const auto vocab = static_cast<size_t>(model->config().vocab_size);
  Session base(model, pool, with(true, true));
  base.append(std::span(fixture.ids).first(100));
  const auto chances = [&](const Session& session) {
    std::vector<double> p(session.logits().begin(), session.logits().end());
    const double largest = *std::max_element(p.begin(), p.end());
    double sum = 0;
    for (double& x : p) sum += x = std::exp(x - largest);
    for (double& x : p) x /= sum;
    return p;
  };
  const std::vector<double> first = chances(base);
  std::vector<double> expected;
  for (size_t id = 0; id < vocab; ++id) {
    const auto next = base.fork();
    next->append(std::vector{static_cast<int32_t>(id)});
    for (const double p : chances(*next)) expected.push_back(first[id] * p);
  }
  constexpr int kDraws = 6000;
  std::vector<int> seen(expected.size());
  int64_t guessed = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    llm::Sampling sampling;
    sampling.seed = static_cast<uint64_t>(draw);
    const auto session = base.fork();
    const std::vector<int32_t> ids = own_words(*session, sampling, 2);
    ++seen[static_cast<size_t>(ids[0]) * vocab + static_cast<size_t>(ids[1])];
    guessed += session->drafts().guessed;
  }
  REQUIRE(guessed >= kDraws);
  double chi = 0, rest_expected = 0, rest_seen = 0;
  int cells = 0;
  const auto add = [&](double e, double s) {
    chi += (s - e) * (s - e) / e;
    ++cells;
  };
  for (size_t i = 0; i < expected.size(); ++i) {
    const double e = expected[i] * kDraws;
    if (e >= 8) {
      add(e, seen[i]);
    } else {
      rest_expected += e;
      rest_seen += seen[i];
    }
  }
  if (rest_expected > 0) add(rest_expected, rest_seen);
  INFO(cells << " cells");
  REQUIRE(cells > 20);
  // Five deviations above what chi-squared is on average.
  const double degrees = cells - 1;
  REQUIRE(chi < degrees + 5 * std::sqrt(2 * degrees));
}
