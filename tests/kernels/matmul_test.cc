#include "kernels/matmul/matmul.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/kernels/random.h"

using namespace dsv4::kernels;

namespace {

constexpr WeightFormat kFormats[] = {WeightFormat::kF32, WeightFormat::kBf16,
                                     WeightFormat::kFp8Block128, WeightFormat::kFp4Block32};

constexpr Isa kIsas[] = {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Bf16};

const char* format_name(WeightFormat format) {
  const char* const names[] = {"f32", "bf16", "fp8", "fp4"};
  return names[static_cast<int>(format)];
}

// A random matrix of any format, at an odd address, as a file mapping may give it.
class RandomWeight {
 public:
  RandomWeight(Random& random, WeightFormat format, int64_t rows, int64_t cols) {
    const int64_t count = rows * cols;
    auto byte = [&] { return static_cast<uint8_t>(random.integer(0, 255)); };
    auto scales = [&](int64_t n) {
      for (int64_t i = 0; i < n; ++i) {
        scale_.push_back(static_cast<uint8_t>(random.integer(115, 125)));
      }
    };
    data_.push_back(0xcc);
    for (int64_t i = 0; i < count; ++i) {
      switch (format) {
        case WeightFormat::kF32:
        case WeightFormat::kBf16: {
          const auto bits = std::bit_cast<uint32_t>(random.normal());
          for (int b = format == WeightFormat::kF32 ? 0 : 2; b < 4; ++b) {
            data_.push_back(static_cast<uint8_t>(bits >> (8 * b)));
          }
          break;
        }
        case WeightFormat::kFp8Block128: {
          const uint8_t code = byte();
          data_.push_back((code & 0x7f) == 0x7f ? uint8_t{0} : code);
          break;
        }
        case WeightFormat::kFp4Block32:
          if (i % 2 == 0) data_.push_back(byte());
          break;
      }
    }
    if (format == WeightFormat::kFp8Block128) scales((rows + 127) / 128 * ((cols + 127) / 128));
    if (format == WeightFormat::kFp4Block32) scales(rows * (cols / 32));
    view_ = {format, data_.data() + 1, scale_.empty() ? nullptr : scale_.data(), rows, cols};
  }

  const WeightMatrix& view() const { return view_; }
  uint8_t& byte(int64_t i) { return data_[static_cast<size_t>(i + 1)]; }

 private:
  std::vector<uint8_t> data_;
  std::vector<uint8_t> scale_;
  WeightMatrix view_;
};

std::vector<float> random_rows(Random& random, int64_t count) {
  std::vector<float> x(static_cast<size_t>(count));
  for (float& v : x) v = random.normal() * std::exp2(random.uniform(-6, 6));
  return x;
}

// Runs one product into poisoned memory, so that an output left unwritten shows.
template <class Product>
std::vector<float> poisoned_output(const MatmulParams& params, Product&& product) {
  std::vector<float> y(static_cast<size_t>(params.tokens * params.weight.rows), -1.2345e33f);
  MatmulParams p = params;
  p.y = y.data();
  product(p);
  return y;
}

// The largest sum of magnitudes per output: what rounding errors are relative to.
std::vector<double> magnitudes(const MatmulParams& params) {
  std::vector<float> x(params.x, params.x + params.tokens * params.weight.cols);
  std::vector<double> sums;
  for (int64_t t = 0; t < params.tokens; ++t) {
    double norm = 0;
    for (int64_t c = 0; c < params.weight.cols; ++c) {
      norm = std::max(norm, std::fabs(double{x[static_cast<size_t>(t * params.weight.cols + c)]}));
    }
    sums.push_back(norm);
  }
  return sums;
}

void compare(const MatmulParams& p, const std::vector<float>& got, const std::vector<float>& want) {
  const std::vector<double> scale = magnitudes(p);
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    INFO("output " << i << ": " << got[i] << " for " << want[i]);
    REQUIRE(std::isnan(got[i]) == std::isnan(want[i]));
    REQUIRE(std::isinf(got[i]) == std::isinf(want[i]));
    if (!std::isfinite(want[i])) {
      REQUIRE((std::isnan(want[i]) || got[i] == want[i]));
      continue;
    }
    const double row_scale = scale[i / static_cast<size_t>(p.weight.rows)];
    const double weight_scale = p.weight.scale != nullptr ? 448.0 / 4 : 5.0;
    const double allowed = 1e-6 * row_scale * weight_scale * std::sqrt(double(p.weight.cols)) +
                           1e-5 * std::fabs(double{want[i]});
    REQUIRE(std::fabs(double{got[i]} - double{want[i]}) <= allowed);
  }
}

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
