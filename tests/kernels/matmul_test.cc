#include "kernels/matmul/matmul.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/kernels/matmul_cases.h"
#include "tests/kernels/random.h"

using namespace dsv4::kernels;

namespace {

std::vector<Isa> available_isas() {
  std::vector<Isa> isas;
  for (const Isa isa : kIsas) {
    if (isa <= detect_isa()) isas.push_back(isa);
  }
  return isas;
}

}  // namespace

TEST_CASE("the tests say which instruction sets this processor cannot check") {
  for (const Isa isa : kIsas) {
    if (isa > detect_isa()) WARN("skipped: " << isa_name(isa) << " not on this processor");
  }
  REQUIRE(available_isas().front() == Isa::kScalar);
}

TEST_CASE("the product agrees with the double-precision reference in every format and size") {
  Random random;
  ThreadPool pool(2);
  const std::vector<Isa> isas = available_isas();
  for (const WeightFormat format : kFormats) {
    for (const auto& [tokens, rows, cols] : std::vector<std::array<int64_t, 3>>{{1, 1, 1},
                                                                                {1, 3, 31},
                                                                                {2, 5, 33},
                                                                                {3, 17, 129},
                                                                                {5, 130, 257},
                                                                                {7, 40, 300},
                                                                                {16, 33, 128},
                                                                                {67, 19, 160},
                                                                                {1, 256, 192}}) {
      const int64_t width = format == WeightFormat::kFp4Block32 ? (cols + 31) / 32 * 32 : cols;
      const RandomWeight weight(random, format, rows, width);
      const std::vector<float> x = random_rows(random, tokens * width);
      for (const auto rounding : {ActivationRounding::kNone, ActivationRounding::kFp8Block128}) {
        const MatmulParams p{x.data(), tokens, weight.view(), rounding, nullptr};
        const auto want = poisoned_output(p, matmul_reference);
        for (const Isa isa : isas) {
          INFO(format_name(format) << " [" << tokens << ", " << width << "] x " << rows << " on "
                                   << isa_name(isa) << ", seed " << random.seed());
          compare(p, poisoned_output(p, [&](auto& q) { matmul(pool, isa, q); }), want);
        }
      }
    }
  }
}

TEST_CASE("a token's result is the same bits however many tokens go together") {
  Random random;
  ThreadPool pool(2);
  for (const WeightFormat format : kFormats) {
    const int64_t cols = 416;
    const int64_t rows = 150;
    const int64_t tokens = 70;
    const RandomWeight weight(random, format, rows, cols);
    const std::vector<float> x = random_rows(random, tokens * cols);
    for (const Isa isa : available_isas()) {
      const MatmulParams all{x.data(), tokens, weight.view(), ActivationRounding::kFp8Block128,
                             nullptr};
      auto product = [&](auto& q) { matmul(pool, isa, q); };
      const auto together = poisoned_output(all, product);
      for (const int64_t chunk : {1, 2, 3, 4, 5, 8, 16, 33}) {
        for (int64_t t = 0; t < tokens; t += chunk) {
          MatmulParams part = all;
          part.x += t * cols;
          part.tokens = std::min(chunk, tokens - t);
          const auto alone = poisoned_output(part, product);
          INFO(format_name(format) << " on " << isa_name(isa) << ", chunk " << chunk << " at " << t
                                   << ", seed " << random.seed());
          REQUIRE(std::equal(alone.begin(), alone.end(), together.begin() + t * rows));
        }
      }
    }
  }
}

TEST_CASE("NaN and Inf in activations and weights come out where they belong") {
  Random random;
  ThreadPool pool(2);
  for (const WeightFormat format : kFormats) {
    const int64_t cols = 160;
    const int64_t rows = 9;
    const int64_t tokens = 6;
    RandomWeight weight(random, format, rows, cols);
    if (format == WeightFormat::kFp8Block128) weight.byte(3 * cols + 150) = 0xff;
    std::vector<float> x = random_rows(random, tokens * cols);
    x[1 * cols + 77] = std::numeric_limits<float>::quiet_NaN();
    x[4 * cols + 159] = std::numeric_limits<float>::infinity();
    for (const auto rounding : {ActivationRounding::kNone, ActivationRounding::kFp8Block128}) {
      for (int64_t count : {int64_t{1}, tokens}) {
        for (int64_t t = 0; t < tokens; t += count) {
          const MatmulParams p{&x[static_cast<size_t>(t * cols)], count, weight.view(), rounding,
                               nullptr};
          const auto want = poisoned_output(p, matmul_reference);
          for (const Isa isa : available_isas()) {
            INFO(format_name(format) << " on " << isa_name(isa) << ", seed " << random.seed());
            const auto got = poisoned_output(p, [&](auto& q) { matmul(pool, isa, q); });
            for (size_t i = 0; i < got.size(); ++i) {
              REQUIRE(std::isnan(got[i]) == std::isnan(want[i]));
              REQUIRE(std::isinf(got[i]) == std::isinf(want[i]));
            }
          }
        }
      }
    }
  }
}

TEST_CASE("every FP8 and FP4 code at every scale decodes exactly on its way into a product") {
  ThreadPool pool(1);
  constexpr int64_t kCols = 256;
  // One-hot activations pick single weights out of the rows.
  std::vector<float> x(kCols * kCols, 0.0f);
  for (int64_t i = 0; i < kCols; ++i) x[static_cast<size_t>(i * kCols + i)] = 1.0f;
  std::vector<uint8_t> fp8(kCols);
  std::vector<uint8_t> fp4(kCols / 2);
  for (size_t i = 0; i < kCols; ++i) {
    fp8[i] = (i & 0x7f) == 0x7f ? 0 : static_cast<uint8_t>(i);
    fp4[i / 2] |= static_cast<uint8_t>((i & 15) << (i % 2 * 4));
  }
  // FP8 is exact for scales from 2^-53 to 2^71 (rows_avx2.cc), far beyond those of any checkpoint.
  for (const int scale : {74, 100, 126, 127, 128, 150, 198}) {
    const std::vector<uint8_t> scales(kCols / 32, static_cast<uint8_t>(scale));
    for (const WeightMatrix& weight :
         {WeightMatrix{WeightFormat::kFp8Block128, fp8.data(), scales.data(), 1, kCols},
          WeightMatrix{WeightFormat::kFp4Block32, fp4.data(), scales.data(), 1, kCols}}) {
      for (const Isa isa : available_isas()) {
        for (const int64_t tokens : {int64_t{1}, kCols}) {
          for (int64_t t = 0; t < kCols; t += tokens) {
            for (const auto rounding :
                 {ActivationRounding::kNone, ActivationRounding::kFp8Block128}) {
              const MatmulParams p{&x[static_cast<size_t>(t * kCols)], tokens, weight, rounding,
                                   nullptr};
              const auto y = poisoned_output(p, [&](auto& q) { matmul(pool, isa, q); });
              for (int64_t i = 0; i < tokens; ++i) {
                INFO(format_name(weight.format) << " column " << t + i << ", scale " << scale);
                REQUIRE(double{y[static_cast<size_t>(i)]} == weight_at(weight, 0, t + i));
              }
            }
          }
        }
      }
    }
  }
}

TEST_CASE("a batch of products gives each the bits it has alone") {
  Random random;
  INFO("seed " << random.seed());
  const int64_t tokens = 2;
  std::vector<RandomWeight> weights;
  for (const WeightFormat format : kFormats) {
    weights.emplace_back(random, format, 40, 160);
    weights.emplace_back(random, format, 133, 160);
  }
  weights.emplace_back(random, WeightFormat::kFp4Block32, 17, 96);
  const std::vector<float> shared = random_rows(random, tokens * 160);
  const std::vector<float> other = random_rows(random, tokens * 96);
  MatmulScratch scratch;
  for (const Isa isa : available_isas()) {
    for (const int threads : {1, 3}) {
      ThreadPool pool(threads);
      std::vector<MatmulParams> batch;
      std::vector<std::vector<float>> outputs;
      for (const RandomWeight& weight : weights) {
        const float* x = weight.view().cols == 160 ? shared.data() : other.data();
        outputs.emplace_back(static_cast<size_t>(tokens * weight.view().rows), -1.2345e33f);
        batch.push_back(
            {x, tokens, weight.view(), ActivationRounding::kFp8Block128, outputs.back().data()});
      }
      matmul_batch(pool, isa, batch, &scratch);
      ThreadPool one(1);
      for (size_t i = 0; i < batch.size(); ++i) {
        INFO("product " << i << " on " << isa_name(isa) << " with " << threads << " threads");
        REQUIRE(outputs[i] == poisoned_output(batch[i], [&](auto& q) { matmul(one, isa, q); }));
      }
    }
  }
}

TEST_CASE("a product without tokens or rows leaves everything alone") {
  ThreadPool pool(2);
  const float weight[4] = {1, 2, 3, 4};
  float y[2] = {7, 7};
  matmul(pool, detect_isa(),
         {weight, 0, {WeightFormat::kF32, weight, nullptr, 2, 2}, ActivationRounding::kNone, y});
  matmul(pool, detect_isa(),
         {weight, 1, {WeightFormat::kF32, weight, nullptr, 0, 2}, ActivationRounding::kNone, y});
  matmul_batch(pool, detect_isa(), {});
  REQUIRE(y[0] == 7);
  REQUIRE(y[1] == 7);
}
