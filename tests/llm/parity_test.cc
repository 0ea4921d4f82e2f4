// The engine against `transformers` (f32) and against an independent float64 computation of the
// published formats' rounding; see the generators in tests/llm/fixtures.
#include <algorithm>

#include "llm/sampler.h"
#include "llm/session.h"
#include "llm/tokenizer.h"
#include "tests/catch.h"
#include "tests/llm/fixture.h"

using namespace dsv4;
using llm::Precision;
using llm::Session;
using llm::SessionOptions;

namespace {

// Logits after every id, `chunk` ids at a time.
std::vector<float> all_logits(const std::shared_ptr<const llm::Model>& model,
                              const std::vector<int32_t>& ids, SessionOptions options) {
  kernels::ThreadPool pool(2);
  Session session(model, pool, options);
  std::vector<float> out;
  REQUIRE(session.append_each(ids, [&](int64_t position, std::span<const float> logits) {
    REQUIRE(position * static_cast<int64_t>(logits.size()) == static_cast<int64_t>(out.size()));
    out.insert(out.end(), logits.begin(), logits.end());
  }));
  return out;
}

size_t best(const float* logits, size_t vocab) {
  return static_cast<size_t>(std::max_element(logits, logits + vocab) - logits);
}

// After every id, fast and exact find the same next token best, unless two tie: the formats' own
// rounding moves logits farther than those two lie apart. At most `share` of the ids may see ties.
void require_same_choices(const std::shared_ptr<const llm::Model>& model,
                          const std::vector<int32_t>& ids, double share) {
  const auto vocab = static_cast<size_t>(model->config().vocab_size);
  const std::vector<float> exact = all_logits(model, ids, {Precision::kExact, 64});
  const std::vector<float> fast = all_logits(model, ids, {Precision::kFast, 64});
  const std::vector<float> plain = all_logits(model, ids, {Precision::kF32, 64});
  REQUIRE(fast != exact);
  const double rounding = distance(exact.data(), plain.data(), exact.size(), 1.0);
  size_t ties = 0;
  for (size_t t = 0; t < ids.size(); ++t) {
    INFO("after " << t + 1 << " ids");
    const float* truth = &exact[t * vocab];
    const size_t ours = best(&fast[t * vocab], vocab);
    REQUIRE(truth[best(truth, vocab)] - truth[ours] < rounding);
    ties += ours != best(truth, vocab) ? 1 : 0;
  }
  INFO(ties << " ties");
  REQUIRE(static_cast<double>(ties) <= share * static_cast<double>(ids.size()));
}

}  // namespace

TEST_CASE("logits equal those of transformers at every length") {
  for (const char* name : {"all_kinds", "four_streams", "odd_sizes", "predicting"}) {
    INFO(name);
    const Fixture fixture(name);
    const auto model = llm::Model::open(fixture.directory);
    REQUIRE(model->default_precision() == Precision::kF32);
    const auto vocab = static_cast<size_t>(model->config().vocab_size);
    const std::vector<float> expected = fixture.floats("logits");
    const std::vector<int64_t> positions = fixture.integers("positions");
    const std::vector<float> whole = all_logits(model, fixture.ids, {});
    kernels::ThreadPool pool(1);
    for (size_t i = 0; i < positions.size(); ++i) {
      const auto at = static_cast<size_t>(positions[i]);
      INFO("after " << at + 1 << " ids");
      const float* truth = &expected[i * vocab];
      REQUIRE(distance(&whole[at * vocab], truth, vocab, largest(expected)) < 1e-4);
      Session prompt(model, pool);
      REQUIRE(prompt.append(std::span(fixture.ids).first(at + 1)));
      REQUIRE(prompt.position() == static_cast<int64_t>(at) + 1);
      REQUIRE(distance(prompt.logits().data(), truth, vocab, largest(expected)) < 1e-4);
    }
  }
}

TEST_CASE("no split of a prompt changes a bit of its logits") {
  for (const char* name : {"all_kinds", "four_streams", "odd_sizes", "published"}) {
    const Fixture fixture(name);
    const auto model = llm::Model::open(fixture.directory);
    const std::vector<float> whole = all_logits(model, fixture.ids, {{}, 4096});
    for (const int64_t chunk : {1, 2, 3, 5, 64, 127, 128, 129, 400}) {
      INFO(name << " in chunks of " << chunk);
      REQUIRE(all_logits(model, fixture.ids, {{}, chunk}) == whole);
    }
  }
}

TEST_CASE("a published checkpoint computes what its rounding says") {
  const Fixture fixture("published");
  const auto model = llm::Model::open(fixture.directory);
  REQUIRE(model->default_precision() == Precision::kExact);
  const auto vocab = static_cast<size_t>(model->config().vocab_size);
  const std::vector<float> expected = fixture.floats("logits");
  const std::vector<float> computed = all_logits(model, fixture.ids, {});
  REQUIRE(computed.size() == expected.size());
  const size_t tokens = fixture.ids.size();
  size_t close = 0;
  double sum = 0.0;
  for (size_t t = 0; t < tokens; ++t) {
    INFO("position " << t);
    const float* ours = &computed[t * vocab];
    const float* truth = &expected[t * vocab];
    REQUIRE(best(ours, vocab) == best(truth, vocab));
    const double d = distance(ours, truth, vocab, largest(expected));
    // A value that float32 puts on the other side of a rounding boundary moves by a whole step;
    // rare, and bounded by a fraction of what leaving all rounding out does (below).
    REQUIRE(d < 0.03);
    close += d < 1e-5 ? 1 : 0;
    sum += d;
  }
  REQUIRE(close * 10 >= tokens * 9);
  REQUIRE(sum / static_cast<double>(tokens) < 1e-3);
}

TEST_CASE("without rounding a published checkpoint computes the plain network") {
  const Fixture fixture("published");
  const auto model = llm::Model::open(fixture.directory);
  const std::vector<float> expected = fixture.floats("unrounded");
  const std::vector<float> computed = all_logits(model, fixture.ids, {Precision::kF32, 64});
  REQUIRE(distance(computed.data(), expected.data(), expected.size(), largest(expected)) < 1e-4);
  // The two truths are far apart, so that neither test can pass by computing the other.
  const std::vector<float> rounded = fixture.floats("logits");
  REQUIRE(distance(rounded.data(), expected.data(), expected.size(), largest(expected)) > 0.05);
}

TEST_CASE("fast chooses the tokens that exact does, up to ties") {
  // An untrained model hesitates everywhere.
  const Fixture fixture("published");
  require_same_choices(llm::Model::open(fixture.directory), fixture.ids, 0.2);
}

TEST_CASE("the embedded model writes with fast what it does with exact, up to ties") {
  const std::string dir = DSV4_SOURCE_DIR "/llm/nano/model";
  const auto model = llm::Model::open(dir);
  // The beginning of what it was trained on; it goes on by itself.
  std::vector<int32_t> ids = llm::Tokenizer::load(dir).encode_markup(
      "<\uff5cbegin\u2581of\u2581sentence\uff5c>You are dsv4-agent. You repair a software");
  kernels::ThreadPool pool(2);
  Session session(model, pool, {Precision::kExact});
  session.append(ids);
  while (ids.size() < 1500) {
    ids.push_back(llm::greedy(session.logits()));
    session.append(std::span(ids).last(1));
  }
  require_same_choices(model, ids, 0.005);
}
