#pragma once

#include <bit>
#include <cmath>
#include <vector>

#include "kernels/matmul/matmul.h"
#include "kernels/matmul/weight.h"
#include "kernels/rounding/rounding.h"
#include "tests/catch.h"
#include "tests/kernels/random.h"

namespace dsv4::kernels {

constexpr WeightFormat kFormats[] = {WeightFormat::kF32, WeightFormat::kBf16,
                                     WeightFormat::kFp8Block128, WeightFormat::kFp4Block32};

constexpr Isa kIsas[] = {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Bf16};

inline const char* format_name(WeightFormat format) {
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

inline std::vector<float> random_rows(Random& random, int64_t count) {
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

// How far rounding alone can take each output from the exact sum: a sum of n products in f32, eight
// or more side by side, errs by at most n / 8 + 8 roundings of the sum of magnitudes.
inline std::vector<double> rounding_bounds(const MatmulParams& p) {
  const int64_t cols = p.weight.cols;
  std::vector<double> bounds;
  for (int64_t t = 0; t < p.tokens; ++t) {
    std::vector<float> x(p.x + t * cols, p.x + (t + 1) * cols);
    if (p.rounding == ActivationRounding::kFp8Block128) round_fp8_blocks(x.data(), cols, 128);
    for (int64_t r = 0; r < p.weight.rows; ++r) {
      double sum = 0;
      for (int64_t c = 0; c < cols; ++c) {
        sum += std::fabs(double{x[static_cast<size_t>(c)]} * weight_at(p.weight, r, c));
      }
      bounds.push_back(sum * (static_cast<double>(cols) / 8 + 8) * 0x1p-24);
    }
  }
  return bounds;
}

// roundings: so many times as many as a sum of the products alone has.
inline void compare(const MatmulParams& p, const std::vector<float>& got,
                    const std::vector<float>& want, double roundings = 1.0) {
  const std::vector<double> bounds = rounding_bounds(p);
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    INFO("output " << i << ": " << got[i] << " for " << want[i]);
    REQUIRE(std::isnan(got[i]) == std::isnan(want[i]));
    REQUIRE(std::isinf(got[i]) == std::isinf(want[i]));
    if (std::isnan(want[i])) continue;
    if (std::isinf(want[i])) {
      REQUIRE(got[i] == want[i]);
      continue;
    }
    REQUIRE(std::fabs(double{got[i]} - double{want[i]}) <= roundings * bounds[i]);
  }
}

}  // namespace dsv4::kernels
