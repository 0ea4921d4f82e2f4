// The MTP layer against `transformers`' layer between projections written in the generator (f32),
// and against an independent float64 computation with the published formats' rounding.
#include <algorithm>
#include <cstring>
#include <random>

#include "llm/mtp_drafter.h"
#include "llm/host_network.h"
#include "tests/catch.h"
#include "tests/llm/fixture.h"

using namespace dsv4;
using llm::Precision;

namespace {

// What the MTP layer says at every position but the last, the network and the layer fed `chunk` ids
// at a time.
class Prediction {
 public:
  Prediction(const llm::Model& model, Precision precision)
      : model_(model),
        context_{model.config(), precision, pool_, kernels::detect_isa()},
        network_(model.config(), model.weights()),
        mtp_(state(model.config().mtp.front())) {
    for (const llm::LayerConfig& layer : model.config().layers) layers_.push_back(state(layer));
  }

  std::vector<float> of(const std::vector<int32_t>& ids, int64_t chunk) {
    const llm::Config& c = model_.config();
    const auto count = static_cast<int64_t>(ids.size()) - 1;
    std::vector<float> out(static_cast<size_t>(count * c.vocab_size));
    for (int64_t at = 0; at < count; at += chunk) {
      const int64_t n = std::min(chunk, count - at);
      const std::span here = std::span(ids).subspan(static_cast<size_t>(at));
      const llm::Stretch stretch{here.first(static_cast<size_t>(n)), at, &layers_};
      network_.run(context_, {&stretch, 1});
      const float* left = network_.streams();
      const std::vector<float> streams(left, left + n * c.hc_mult * c.hidden_size);
      network_.run_mtp(context_, here.subspan(1, static_cast<size_t>(n)), at, streams.data(), mtp_);
      network_.mtp_logits(context_, 0, n, out.data() + at * c.vocab_size);
    }
    return out;
  }

 private:
  llm::LayerState state(const llm::LayerConfig& layer) {
    const auto format = context_.precision == Precision::kF32 ? kernels::RowFormat::kF32
                                                              : kernels::RowFormat::kFp8F32;
    return {model_.config(), layer, format, memory_};
  }

  const llm::Model& model_;
  kernels::ThreadPool pool_{2};
  llm::ForwardContext context_;
  llm::StateMemory memory_;
  llm::HostNetwork network_;
  std::vector<llm::LayerState> layers_;
  llm::LayerState mtp_;
};

size_t best(const float* logits, size_t vocab) {
  return static_cast<size_t>(std::max_element(logits, logits + vocab) - logits);
}

}  // namespace

TEST_CASE("the MTP layer computes what transformers' layer does between its projections") {
  const Fixture fixture("predicting");
  const auto model = llm::Model::open(fixture.directory);
  REQUIRE(model->config().mtp.front().compress_ratio == 4);
  REQUIRE(model->weights().mtp.size() == 1);
  const auto vocab = static_cast<size_t>(model->config().vocab_size);
  const std::vector<float> expected = fixture.floats("predicted");
  const std::vector<int64_t> positions = fixture.integers("positions");
  const std::vector<float> computed = Prediction(*model, Precision::kF32).of(fixture.ids, 4096);
  for (size_t i = 0; i + 1 < positions.size(); ++i) {
    INFO("at position " << positions[i]);
    const float* ours = &computed[static_cast<size_t>(positions[i]) * vocab];
    REQUIRE(distance(ours, &expected[i * vocab], vocab, largest(expected)) < 1e-4);
  }
}

TEST_CASE("the MTP layer of a published checkpoint computes what its rounding says") {
  const Fixture fixture("published");
  const auto model = llm::Model::open(fixture.directory);
  const auto vocab = static_cast<size_t>(model->config().vocab_size);
  const std::vector<float> expected = fixture.floats("predicted");
  const std::vector<float> computed = Prediction(*model, Precision::kExact).of(fixture.ids, 64);
  REQUIRE(computed.size() == expected.size());
  const size_t tokens = fixture.ids.size() - 1;
  size_t close = 0;
  double sum = 0.0;
  for (size_t t = 0; t < tokens; ++t) {
    INFO("position " << t);
    const double d = distance(&computed[t * vocab], &expected[t * vocab], vocab, largest(expected));
    REQUIRE(best(&computed[t * vocab], vocab) == best(&expected[t * vocab], vocab));
    // As for the network: now and then float32 lands on the other side of a rounding boundary.
    REQUIRE(d < 0.06);
    close += d < 1e-5 ? 1 : 0;
    sum += d;
  }
  REQUIRE(close * 10 >= tokens * 8);
  REQUIRE(sum / static_cast<double>(tokens) < 2e-3);

  const std::vector<float> plain = fixture.floats("unrounded_predicted");
  const std::vector<float> unrounded = Prediction(*model, Precision::kF32).of(fixture.ids, 64);
  REQUIRE(distance(unrounded.data(), plain.data(), plain.size(), largest(plain)) < 1e-4);
}

TEST_CASE("no split of the ids changes a bit of what the MTP layer says") {
  for (const char* name : {"predicting", "published"}) {
    const Fixture fixture(name);
    const auto model = llm::Model::open(fixture.directory);
    const Precision precision = model->default_precision();
    const std::vector<float> whole = Prediction(*model, precision).of(fixture.ids, 4096);
    for (const int64_t chunk : {1, 2, 3, 5, 64, 127, 128, 129}) {
      INFO(name << " in chunks of " << chunk);
      REQUIRE(Prediction(*model, precision).of(fixture.ids, chunk) == whole);
    }
  }
}

TEST_CASE("the MTP layer guesses what it says when it has seen every position") {
  const Fixture fixture("published");
  const auto model = llm::Model::open(fixture.directory);
  const llm::Config& c = model->config();
  const Precision precision = model->default_precision();
  const auto vocab = static_cast<size_t>(c.vocab_size);
  const std::vector<float> said = Prediction(*model, precision).of(fixture.ids, 64);

  kernels::ThreadPool pool(2);
  const llm::ForwardContext ctx{c, precision, pool, kernels::detect_isa()};
  llm::HostNetwork network(c, model->weights());
  const llm::StateMemory memory;
  std::vector<llm::LayerState> layers;
  for (const llm::LayerConfig& layer : c.layers) {
    layers.emplace_back(c, layer, llm::stored_rows(precision), memory);
  }
  REQUIRE(llm::MtpDrafter::usable(*model));
  llm::MtpDrafter drafter(*model, llm::stored_rows(precision), memory);
  llm::PageList past(sizeof(int32_t), memory.pages);
  std::mt19937 random(2);
  for (int64_t at = 0; at < static_cast<int64_t>(fixture.ids.size()) - 1;) {
    const int64_t left = static_cast<int64_t>(fixture.ids.size()) - 1 - at;
    const int64_t n = std::min<int64_t>(left, 1 + random() % llm::MtpDrafter::kReach);
    const std::span ids = std::span(fixture.ids).subspan(static_cast<size_t>(at));
    const llm::Stretch stretch{ids.first(static_cast<size_t>(n)), at, &layers};
    network.run(ctx, {&stretch, 1});
    drafter.keep(at, n, network.streams());
    past.resize(at + n);
    for (int64_t i = 0; i < n; ++i)
      std::memcpy(past.new_row(at + i), &ids[static_cast<size_t>(i)], 4);
    at += n;
    INFO("at position " << at);
    REQUIRE(drafter.knows(at));
    REQUIRE_FALSE(drafter.knows(at + 1));
    drafter.catch_up(ctx, network, past, at);
    const int64_t more = 1 + static_cast<int64_t>(random() % 3);
    const int32_t next = fixture.ids[static_cast<size_t>(at)];
    const std::vector<int32_t> guess = drafter.guess(ctx, network, at, next, more);
    REQUIRE(static_cast<int64_t>(guess.size()) == more);
    const size_t expected = best(&said[static_cast<size_t>(at - 1) * vocab], vocab);
    REQUIRE(static_cast<size_t>(guess.front()) == expected);
  }
}
