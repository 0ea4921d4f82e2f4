#include "kernels/swiglu/swiglu.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/simd/avx2.h"

namespace dsv4::kernels {
namespace {

float limit_of(const SwigluParams& p) {
  return p.limit > 0.0F ? p.limit : std::numeric_limits<float>::infinity();
}

// NaN passes through both clamps.
template <typename Real>
float one(float g, float u, float limit, float weight) {
  if (g > limit) g = limit;
  if (u > limit) u = limit;
  if (u < -limit) u = -limit;
  const Real x = g;
  return static_cast<float>(weight * (x / (Real(1) + std::exp(-x))) * u);
}

#if defined(__x86_64__)
// Values up to the last multiple of 8.
DSV4_AVX2 void row_avx2(const float* g, const float* u, int64_t n, float limit, float weight,
                        float* y) {
  const __m256 top = _mm256_set1_ps(limit);
  const __m256 bottom = _mm256_set1_ps(-limit);
  const __m256 sign = _mm256_set1_ps(-0.0F);
  const __m256 ones = _mm256_set1_ps(1.0F);
  const __m256 w = _mm256_set1_ps(weight);
  for (int64_t i = 0; i + 8 <= n; i += 8) {
    const __m256 x = _mm256_min_ps(top, _mm256_loadu_ps(g + i));
    const __m256 v = _mm256_max_ps(bottom, _mm256_min_ps(top, _mm256_loadu_ps(u + i)));
    const __m256 e = avx2::exp(_mm256_xor_ps(x, sign));
    const __m256 silu = _mm256_div_ps(x, _mm256_add_ps(ones, e));
    _mm256_storeu_ps(y + i, _mm256_mul_ps(_mm256_mul_ps(w, silu), v));
  }
}
#endif

}  // namespace

void swiglu_reference(const SwigluParams& p) {
  for (int64_t i = 0; i < p.rows * p.dim; ++i) {
    const float weight = p.weight == nullptr ? 1.0F : p.weight[i / p.dim];
    p.y[i] = one<double>(p.g[i], p.u[i], limit_of(p), weight);
  }
}

void swiglu(ThreadPool& pool, Isa isa, const SwigluParams& p) {
  const float limit = limit_of(p);
  const int64_t grain = std::max<int64_t>(1, 8192 / std::max<int64_t>(1, p.dim));
  pool.parallel_for(p.rows, grain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float weight = p.weight == nullptr ? 1.0F : p.weight[row];
      const float* g = p.g + row * p.dim;
      const float* u = p.u + row * p.dim;
      float* y = p.y + row * p.dim;
      int64_t i = 0;
#if defined(__x86_64__)
      if (isa >= Isa::kAvx2) {
        row_avx2(g, u, p.dim, limit, weight, y);
        i = p.dim / 8 * 8;
      }
#endif
      for (; i < p.dim; ++i) y[i] = one<float>(g[i], u[i], limit, weight);
    }
  });
}

}  // namespace dsv4::kernels
