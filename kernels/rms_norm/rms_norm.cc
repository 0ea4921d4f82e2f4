#include "kernels/rms_norm/rms_norm.h"

#include <algorithm>
#include <cmath>

#include "kernels/simd/avx2.h"

namespace dsv4::kernels {
namespace {

float inverse(double squares, int64_t dim, float eps) {
  return static_cast<float>(1.0 / std::sqrt(squares / static_cast<double>(dim) + eps));
}

double squares_plain(const float* x, int64_t dim) {
  double sum = 0.0;
  for (int64_t i = 0; i < dim; ++i) sum += static_cast<double>(x[i]) * x[i];
  return sum;
}

#if defined(__x86_64__)
DSV4_AVX2 double squares_avx2(const float* x, int64_t dim) {
  __m256 a = _mm256_setzero_ps();
  __m256 b = _mm256_setzero_ps();
  int64_t i = 0;
  for (; i + 16 <= dim; i += 16) {
    const __m256 u = _mm256_loadu_ps(x + i);
    const __m256 v = _mm256_loadu_ps(x + i + 8);
    a = _mm256_fmadd_ps(u, u, a);
    b = _mm256_fmadd_ps(v, v, b);
  }
  return static_cast<double>(avx2::sum(_mm256_add_ps(a, b))) + squares_plain(x + i, dim - i);
}
#endif

void norm_row(const RmsNormParams& p, int64_t row, float r) {
  const float* x = p.x + row * p.dim;
  float* y = p.y + row * p.dim;
  if (p.weight == nullptr) {
    for (int64_t i = 0; i < p.dim; ++i) y[i] = x[i] * r;
  } else {
    for (int64_t i = 0; i < p.dim; ++i) y[i] = x[i] * r * p.weight[i];
  }
}

}  // namespace

float inverse_rms(Isa isa, const float* x, int64_t dim, float eps) {
#if defined(__x86_64__)
  if (isa >= Isa::kAvx2) return inverse(squares_avx2(x, dim), dim, eps);
#endif
  return inverse(squares_plain(x, dim), dim, eps);
}

void rms_norm_reference(const RmsNormParams& p) {
  for (int64_t row = 0; row < p.rows; ++row) {
    norm_row(p, row, inverse_rms(Isa::kScalar, p.x + row * p.dim, p.dim, p.eps));
  }
}

void rms_norm(ThreadPool& pool, Isa isa, const RmsNormParams& p) {
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(p.dim, 1));
  pool.parallel_for(p.rows, grain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      norm_row(p, row, inverse_rms(isa, p.x + row * p.dim, p.dim, p.eps));
    }
  });
}

}  // namespace dsv4::kernels
