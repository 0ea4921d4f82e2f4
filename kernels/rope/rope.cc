#include "kernels/rope/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace dsv4::kernels {
namespace {

// The pair that turns `rotations` times over the original length (YaRN, arXiv 2309.00071).
double correction_dim(const RopeSettings& s, double rotations) {
  return static_cast<double>(s.dim) *
         std::log(s.original_length / (rotations * 2.0 * std::numbers::pi)) /
         (2.0 * std::log(s.theta));
}

// 1 for pairs that keep their frequency, 0 for those divided by the factor, a ramp between.
float kept_share(const RopeSettings& s, int64_t pair) {
  const double low = std::max(std::floor(correction_dim(s, s.beta_fast)), 0.0);
  double high = std::min(std::ceil(correction_dim(s, s.beta_slow)), static_cast<double>(s.dim - 1));
  if (low == high) high += 0.001;
  const double ramp = (static_cast<double>(pair) - low) / (high - low);
  return 1.0F - static_cast<float>(std::clamp(ramp, 0.0, 1.0));
}

}  // namespace

std::vector<float> rope_frequencies(const RopeSettings& s) {
  std::vector<float> out(static_cast<size_t>(s.dim / 2));
  for (int64_t i = 0; i < s.dim / 2; ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(s.dim);
    const float frequency = 1.0F / static_cast<float>(std::pow(s.theta, double{exponent}));
    if (s.original_length > 0.0) {
      const float keep = kept_share(s, i);
      const auto factor = static_cast<float>(s.factor);
      out[static_cast<size_t>(i)] = frequency / factor * (1.0F - keep) + frequency * keep;
    } else {
      out[static_cast<size_t>(i)] = frequency;
    }
  }
  return out;
}

void fill_rope_table(std::span<const float> frequencies, std::span<const int64_t> positions,
                     RopeTable& table) {
  table.cos.resize(frequencies.size() * positions.size());
  table.sin.resize(table.cos.size());
  size_t at = 0;
  for (const int64_t position : positions) {
    for (const float frequency : frequencies) {
      // The product is rounded to f32, as in the authors' tables; see rope_frequencies.
      const float angle = static_cast<float>(position) * frequency;
      table.cos[at] = static_cast<float>(std::cos(double{angle}));
      table.sin[at] = static_cast<float>(std::sin(double{angle}));
      ++at;
    }
  }
}

void rope_reference(const RopeParams& p) {
  const int64_t pairs = p.rope_dim / 2;
  for (int64_t row = 0; row < p.rows; ++row) {
    float* x = p.x + row * p.dim + (p.dim - p.rope_dim);
    for (int64_t i = 0; i < pairs; ++i) {
      const auto at = static_cast<size_t>(row / p.rows_per_position * pairs + i);
      const double c = p.table->cos[at];
      const double s = p.inverse ? -p.table->sin[at] : p.table->sin[at];
      const double a = x[2 * i];
      const double b = x[2 * i + 1];
      x[2 * i] = static_cast<float>(a * c - b * s);
      x[2 * i + 1] = static_cast<float>(b * c + a * s);
    }
  }
}

void rope(ThreadPool& pool, const RopeParams& p) {
  const int64_t pairs = p.rope_dim / 2;
  const float sign = p.inverse ? -1.0F : 1.0F;
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(p.rope_dim, 1));
  pool.parallel_for(p.rows, grain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      float* x = p.x + row * p.dim + (p.dim - p.rope_dim);
      const float* cos = p.table->cos.data() + row / p.rows_per_position * pairs;
      const float* sin = p.table->sin.data() + row / p.rows_per_position * pairs;
      for (int64_t i = 0; i < pairs; ++i) {
        const float a = x[2 * i];
        const float b = x[2 * i + 1];
        const float s = sign * sin[i];
        x[2 * i] = a * cos[i] - b * s;
        x[2 * i + 1] = b * cos[i] + a * s;
      }
    }
  });
}

}  // namespace dsv4::kernels
