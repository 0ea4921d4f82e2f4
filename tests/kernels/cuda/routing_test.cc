#include <stdexcept>

#include "kernels/moe/routing_cuda.h"
#include "kernels/swiglu/swiglu_cuda.h"
#include "tests/kernels/cuda/on_device.h"

using namespace dsv4::kernels;

namespace {

struct Choices {
  std::vector<int32_t> index;
  std::vector<float> weight;
};

Choices reference(RoutingParams p) {
  Choices choices;
  choices.index.assign(static_cast<size_t>(p.tokens * p.chosen), -1);
  choices.weight = poisoned(p.tokens * p.chosen);
  p.index = choices.index.data();
  p.weight = choices.weight.data();
  route_reference(p);
  return choices;
}

// The same on the card; pointers of p are the processor's.
Choices on_card(RoutingParams p, int64_t ids) {
  OnDevice device;
  const auto copy = [&]<class T>(const T* from, int64_t n) {
    return from == nullptr ? nullptr : device.put(std::vector<T>(from, from + n));
  };
  p.logits = copy(p.logits, p.tokens * p.experts);
  p.bias = copy(p.bias, p.experts);
  p.table = copy(p.table, ids * p.chosen);
  p.ids = copy(p.ids, p.tokens);
  p.index = device.put(std::vector<int32_t>(static_cast<size_t>(p.tokens * p.chosen), -1));
  p.weight = device.poisoned_floats(p.tokens * p.chosen);
  cuda::route(device.stream(), p);
  return {device.get(p.index, p.tokens * p.chosen), device.get(p.weight, p.tokens * p.chosen)};
}

}  // namespace

TEST_CASE("the card's router chooses what its reference does") {
  Random random;
  INFO("seed " << random.seed());
  for (const auto score :
       {RoutingScore::kSqrtSoftplus, RoutingScore::kSoftmax, RoutingScore::kSigmoid}) {
    for (const auto& [experts, chosen] :
         std::vector<std::pair<int64_t, int64_t>>{{1, 1}, {8, 2}, {31, 31}, {256, 6}, {384, 40}}) {
      INFO("experts " << experts << " chosen " << chosen);
      const int64_t tokens = random.integer(1, 9);
      // Logits of few values, so that there are equals; far enough apart for float32.
      std::vector<float> logits;
      for (int64_t i = 0; i < tokens * experts; ++i) {
        logits.push_back(static_cast<float>(random.integer(-30, 30)) / 8);
      }
      std::vector<float> bias;
      for (int64_t i = 0; i < experts; ++i) {
        bias.push_back(static_cast<float>(random.integer(0, 1)));
      }
      RoutingParams p;
      p.logits = logits.data();
      p.tokens = tokens;
      p.experts = experts;
      p.chosen = chosen;
      p.score = score;
      p.factor = 1.5F;
      p.bias = score == RoutingScore::kSigmoid ? nullptr : bias.data();
      const Choices want = reference(p);
      const Choices got = on_card(p, 0);
      CHECK(got.index == want.index);
      require_close(got.weight, want.weight, 1e-5);
    }
  }
}

TEST_CASE("the card's router goes by the table where there is one") {
  Random random;
  INFO("seed " << random.seed());
  const std::vector<float> logits = normals(random, 5 * 40);
  std::vector<int32_t> table, ids;
  for (int i = 0; i < 7 * 3; ++i) table.push_back(static_cast<int32_t>(random.integer(0, 39)));
  for (int i = 0; i < 5; ++i) ids.push_back(static_cast<int32_t>(random.integer(0, 6)));
  RoutingParams p;
  p.logits = logits.data();
  p.tokens = 5;
  p.experts = 40;
  p.chosen = 3;
  p.table = table.data();
  p.ids = ids.data();
  const Choices want = reference(p);
  const Choices got = on_card(p, 7);
  CHECK(got.index == want.index);
  require_close(got.weight, want.weight, 1e-5);
}

TEST_CASE("logits that are no numbers do not lead the card's router astray") {
  std::vector<float> logits(40, std::numeric_limits<float>::quiet_NaN());
  logits[35] = 1.0F;
  RoutingParams p;
  p.logits = logits.data();
  p.tokens = 1;
  p.experts = 40;
  p.chosen = 4;
  CHECK(on_card(p, 0).index == std::vector<int32_t>{0, 1, 2, 35});
  CHECK(reference(p).index == std::vector<int32_t>{0, 1, 2, 35});
  OnDevice device;
  p.experts = 513;
  CHECK_THROWS_AS(cuda::route(device.stream(), p), std::invalid_argument);
}

TEST_CASE("the card's swiglu matches the reference") {
  Random random;
  INFO("seed " << random.seed());
  const int64_t rows = 5;
  const int64_t dim = random.integer(1, 300);
  std::vector<float> g = normals(random, rows * dim, 8.0F);
  const std::vector<float> u = normals(random, rows * dim, 8.0F);
  const std::vector<float> weight = normals(random, rows);
  g[0] = std::numeric_limits<float>::quiet_NaN();
  for (const float limit : {0.0F, 10.0F}) {
    for (const bool weighted : {false, true}) {
      std::vector<float> expected = poisoned(rows * dim);
      swiglu_reference({g.data(), u.data(), rows, dim, weighted ? weight.data() : nullptr, limit,
                        expected.data()});
      OnDevice device;
      float* y = device.put(g);  // in place
      cuda::swiglu(device.stream(), {y, device.put(u), rows, dim,
                                     weighted ? device.put(weight) : nullptr, limit, y});
      require_close(device.get(y, rows * dim), expected, 1e-5);
    }
  }
}
