#include <algorithm>
#include <array>

#include "kernels/matmul/matmul_cuda.h"
#include "tests/kernels/cuda/weight_on_device.h"

using namespace dsv4::kernels;

namespace {

constexpr ActivationRounding kRoundings[] = {ActivationRounding::kNone,
                                             ActivationRounding::kFp8Block128};

// By eights up to 32 tokens, all together beyond: small matrices are not worth that outside a test.
cuda::MatmulWay way_of(int64_t tokens) {
  return tokens > 32 ? cuda::MatmulWay::kManyTokens : cuda::MatmulWay::kFewTokens;
}

std::vector<float> product(OnDevice& device, MatmulParams p) {
  const int64_t bytes = cuda::matmul_scratch_bytes(p.tokens, p.weight.cols, p.rounding);
  float* y = device.poisoned_floats(p.tokens * p.weight.rows);
  p.y = y;
  cuda::matmul(device.stream(), p, {device.put(std::vector<uint8_t>(bytes, 0xff)), bytes},
               way_of(p.tokens));
  return device.get(y, p.tokens * p.weight.rows);
}

// A float is the sum of three numbers there, and a product that of six.
constexpr double kOfParts = 2.0;

}  // namespace

TEST_CASE(
    "the card's product agrees with the double-precision reference in every format and size") {
  Random random;
  for (const WeightFormat format : kFormats) {
    for (const auto& [tokens, rows, cols] : std::vector<std::array<int64_t, 3>>{{1, 1, 1},
                                                                                {1, 3, 31},
                                                                                {2, 5, 33},
                                                                                {3, 17, 129},
                                                                                {5, 130, 257},
                                                                                {8, 40, 640},
                                                                                {17, 33, 128},
                                                                                {1, 150, 1920},
                                                                                {67, 19, 160},
                                                                                {130, 140, 257}}) {
      const int64_t width = format == WeightFormat::kFp4Block32 ? (cols + 31) / 32 * 32 : cols;
      const RandomWeight weight(random, format, rows, width);
      const std::vector<float> x = random_rows(random, tokens * width);
      for (const auto rounding : kRoundings) {
        const MatmulParams p{x.data(), tokens, weight.view(), rounding, nullptr};
        const auto want = poisoned_output(p, matmul_reference);
        for (const bool aligned : {false, true}) {
          INFO(format_name(format)
               << " [" << tokens << ", " << width << "] x " << rows << ", seed " << random.seed());
          OnDevice device;
          MatmulParams on = p;
          on.x = device.put(x);
          on.weight = put_weight(device, weight.view(), aligned);
          compare(p, product(device, on), want, kOfParts);
        }
      }
    }
  }
}

TEST_CASE("a token's result on the card is the same bits however many tokens go together") {
  Random random;
  for (const WeightFormat format : kFormats) {
    const int64_t cols = 416;
    const int64_t rows = 50;
    const int64_t tokens = 70;
    const RandomWeight weight(random, format, rows, cols);
    OnDevice device;
    const float* x = device.put(random_rows(random, tokens * cols));
    const WeightMatrix on = put_weight(device, weight.view(), true);
    for (const auto rounding : kRoundings) {
      const auto together = product(device, {x, tokens, on, rounding, nullptr});
      for (const int64_t chunk : {1, 3, 8, 33}) {
        const int64_t t = random.integer(0, tokens - chunk);
        const auto alone = product(device, {x + t * cols, chunk, on, rounding, nullptr});
        INFO(format_name(format) << ", chunk " << chunk << " at " << t << ", seed "
                                 << random.seed());
        REQUIRE(std::equal(alone.begin(), alone.end(), together.begin() + t * rows));
      }
    }
  }
}

TEST_CASE("products of one batch on the card share activations and keep their strides") {
  Random random;
  INFO("seed " << random.seed());
  const int64_t tokens = GENERATE(5, 35);
  const int64_t cols = 160;
  const int64_t groups = 3;
  const std::vector<float> x = random_rows(random, tokens * groups * cols);
  OnDevice device;
  const float* on = device.put(x);
  float* y = device.poisoned_floats(tokens * groups * 20);
  std::vector<RandomWeight> weights;
  std::vector<cuda::Product> products;
  for (int64_t g = 0; g < groups; ++g) {
    weights.emplace_back(random, WeightFormat::kFp8Block128, 20, cols);
    products.push_back({{on + g * cols, tokens, put_weight(device, weights.back().view(), true),
                         ActivationRounding::kNone, y + g * 20},
                        groups * cols,
                        groups * 20,
                        way_of(tokens)});
  }
  // Ten more of the first group's activations: more than one launch takes.
  std::vector<float*> others;
  const RandomWeight wide(random, WeightFormat::kBf16, 33, cols);
  for (int i = 0; i < 10; ++i) {
    others.push_back(device.poisoned_floats(tokens * 33));
    products.push_back({{on, tokens, put_weight(device, wide.view(), false),
                         ActivationRounding::kNone, others.back()},
                        groups * cols,
                        0,
                        way_of(tokens)});
  }
  const int64_t bytes =
      cuda::matmul_scratch_bytes(tokens, cols, ActivationRounding::kNone) * (groups + 1);
  const auto scratch = device.put(std::vector<uint8_t>(bytes, 0xff));
  REQUIRE_THROWS_AS(cuda::matmul_batch(device.stream(), products, {scratch, bytes - 1}),
                    std::invalid_argument);
  cuda::matmul_batch(device.stream(), products, {scratch, bytes});
  const std::vector<float> got = device.get(y, tokens * groups * 20);
  for (int64_t g = 0; g <= groups; ++g) {
    std::vector<float> dense;
    for (int64_t t = 0; t < tokens; ++t) {
      const auto from = x.begin() + (t * groups + g % groups) * cols;
      dense.insert(dense.end(), from, from + cols);
    }
    const MatmulParams p{dense.data(), tokens, g < groups ? weights[g].view() : wide.view(),
                         ActivationRounding::kNone, nullptr};
    const auto want = poisoned_output(p, matmul_reference);
    if (g == groups) {
      for (float* other : others) compare(p, device.get(other, tokens * 33), want, kOfParts);
      break;
    }
    std::vector<float> part;
    for (int64_t t = 0; t < tokens; ++t) {
      const auto from = got.begin() + (t * groups + g) * 20;
      part.insert(part.end(), from, from + 20);
    }
    compare(p, part, want, kOfParts);
  }
}

TEST_CASE("NaN and Inf in activations come out of the card's products where they belong") {
  Random random;
  INFO("seed " << random.seed());
  for (const WeightFormat format : kFormats) {
    const int64_t cols = 160;
    const int64_t rows = 9;
    const int64_t most = 40;
    const RandomWeight weight(random, format, rows, cols);
    std::vector<float> x = random_rows(random, most * cols);
    x[1 * cols + 77] = std::numeric_limits<float>::quiet_NaN();
    x[4 * cols + 159] = std::numeric_limits<float>::infinity();
    OnDevice device;
    const float* on = device.put(x);
    const WeightMatrix w = put_weight(device, weight.view(), true);
    for (const auto rounding : kRoundings) {
      for (const int64_t tokens : {int64_t{6}, most}) {
        const MatmulParams p{x.data(), tokens, weight.view(), rounding, nullptr};
        const auto want = poisoned_output(p, matmul_reference);
        const auto got = product(device, {on, tokens, w, rounding, nullptr});
        for (size_t i = 0; i < got.size(); ++i) {
          INFO(format_name(format) << " at " << i);
          REQUIRE(std::isnan(got[i]) == std::isnan(want[i]));
          REQUIRE(std::isinf(got[i]) == std::isinf(want[i]));
        }
      }
    }
  }
}

TEST_CASE("weights of the card may have any scale that a checkpoint can give them") {
  Random random;
  INFO("seed " << random.seed());
  for (const auto& [format, scale] :
       std::vector<std::pair<WeightFormat, int>>{{WeightFormat::kFp8Block128, 0},
                                                 {WeightFormat::kFp8Block128, 230},
                                                 {WeightFormat::kFp8Block128, 255},
                                                 {WeightFormat::kFp4Block32, 66},
                                                 {WeightFormat::kFp4Block32, 192},
                                                 {WeightFormat::kFp4Block32, 255}}) {
    INFO(format_name(format) << " scale " << scale);
    const int64_t cols = 64;
    const RandomWeight weight(random, format, 3, cols);
    const std::vector<uint8_t> scales(6, static_cast<uint8_t>(scale));
    WeightMatrix host = weight.view();
    host.scale = scales.data();
    std::vector<float> x = normals(random, cols, scale > 200 ? 1e-3F : 1.0F);
    OnDevice device;
    WeightMatrix w = put_weight(device, weight.view(), true);
    w.scale = device.put(scales);
    const MatmulParams p{x.data(), 1, host, ActivationRounding::kFp8Block128, nullptr};
    const auto want = poisoned_output(p, matmul_reference);
    const auto got =
        product(device, {device.put(x), 1, w, ActivationRounding::kFp8Block128, nullptr});
    for (size_t i = 0; i < got.size(); ++i) {
      REQUIRE(std::isnan(got[i]) == std::isnan(want[i]));
      if (!std::isnan(want[i])) {
        REQUIRE(std::fabs(double{got[i]} - double{want[i]}) <=
                1e-5 * (std::fabs(double{want[i]}) + std::exp2(scale - 127) + 1e-37));
      }
    }
  }
}
