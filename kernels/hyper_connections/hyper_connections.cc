#include "kernels/hyper_connections/hyper_connections.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "kernels/simd/avx2.h"

namespace dsv4::kernels {
namespace {

constexpr int64_t kMaxStreams = 64;

template <typename Real>
Real sigmoid(Real x) {
  return Real(1) / (Real(1) + std::exp(-x));
}

// comb: [n][n], row-major. Softmax over each row, then Sinkhorn: columns, and (iterations - 1)
// times rows and columns.
template <typename Real>
void normalize_comb(Real* comb, int64_t n, Real eps, int64_t iterations) {
  for (int64_t j = 0; j < n; ++j) {
    Real* row = comb + j * n;
    const Real top = *std::max_element(row, row + n);
    Real sum = 0;
    for (int64_t k = 0; k < n; ++k) sum += row[k] = std::exp(row[k] - top);
    for (int64_t k = 0; k < n; ++k) row[k] = row[k] / sum + eps;
  }
  for (int64_t i = 0; i < iterations; ++i) {
    for (int64_t j = 0; i > 0 && j < n; ++j) {
      Real* row = comb + j * n;
      Real sum = 0;
      for (int64_t k = 0; k < n; ++k) sum += row[k];
      const Real factor = Real(1) / (sum + eps);
      for (int64_t k = 0; k < n; ++k) row[k] *= factor;
    }
    for (int64_t k = 0; k < n; ++k) {
      Real sum = 0;
      for (int64_t j = 0; j < n; ++j) sum += comb[j * n + k];
      const Real factor = Real(1) / (sum + eps);
      for (int64_t j = 0; j < n; ++j) comb[j * n + k] *= factor;
    }
  }
}

template <typename Real>
void mix_token(const HyperMixParams& p, int64_t t, Real* comb) {
  const int64_t n = p.streams;
  const float* m = p.m + t * (2 + n) * n;
  const Real r = p.inverse_rms[t];
  const auto at = [&](int64_t i, int64_t part) { return m[i] * r * p.scale[part] + p.base[i]; };
  for (int64_t j = 0; j < n; ++j) {
    p.pre[t * n + j] = static_cast<float>(sigmoid<Real>(at(j, 0)) + p.eps);
    p.post[t * n + j] = static_cast<float>(2 * sigmoid<Real>(at(n + j, 1)));
  }
  for (int64_t i = 0; i < n * n; ++i) comb[i] = at(2 * n + i, 2);
  normalize_comb<Real>(comb, n, p.eps, p.iterations);
  for (int64_t i = 0; i < n * n; ++i) p.comb[t * n * n + i] = static_cast<float>(comb[i]);
}

// One block of `width` channels of every stream, so that they can be read before they are written.
constexpr int64_t kBlock = 64;

void expand_plain(const HyperExpandParams& p, int64_t t, int64_t begin, int64_t width) {
  const int64_t n = p.streams;
  std::array<float, kBlock * kMaxStreams> old;
  float* x = p.x + t * n * p.dim + begin;
  for (int64_t j = 0; j < n; ++j) std::copy_n(x + j * p.dim, width, &old[j * kBlock]);
  const float* z = p.z + t * p.dim + begin;
  for (int64_t k = 0; k < n; ++k) {
    const float post = p.post[t * n + k];
    for (int64_t i = 0; i < width; ++i) {
      float sum = post * z[i];
      for (int64_t j = 0; j < n; ++j) sum += p.comb[(t * n + j) * n + k] * old[j * kBlock + i];
      x[k * p.dim + i] = sum;
    }
  }
}

#if defined(__x86_64__)
// width is a multiple of 8 and at most kBlock.
DSV4_AVX2 void expand_avx2(const HyperExpandParams& p, int64_t t, int64_t begin, int64_t width) {
  const int64_t n = p.streams;
  alignas(32) std::array<float, 8 * kMaxStreams> old;
  for (int64_t i = begin; i < begin + width; i += 8) {
    float* x = p.x + t * n * p.dim + i;
    for (int64_t j = 0; j < n; ++j) _mm256_store_ps(&old[j * 8], _mm256_loadu_ps(x + j * p.dim));
    const __m256 z = _mm256_loadu_ps(p.z + t * p.dim + i);
    for (int64_t k = 0; k < n; ++k) {
      __m256 sum = _mm256_mul_ps(_mm256_set1_ps(p.post[t * n + k]), z);
      for (int64_t j = 0; j < n; ++j) {
        sum = _mm256_fmadd_ps(_mm256_set1_ps(p.comb[(t * n + j) * n + k]),
                              _mm256_load_ps(&old[j * 8]), sum);
      }
      _mm256_storeu_ps(x + k * p.dim, sum);
    }
  }
}

DSV4_AVX2 void reduce_avx2(const HyperReduceParams& p, int64_t t, int64_t width) {
  const int64_t n = p.streams;
  for (int64_t i = 0; i < width; i += 8) {
    __m256 sum = _mm256_setzero_ps();
    for (int64_t j = 0; j < n; ++j) {
      sum = _mm256_fmadd_ps(_mm256_set1_ps(p.pre[t * n + j]),
                            _mm256_loadu_ps(p.x + (t * n + j) * p.dim + i), sum);
    }
    _mm256_storeu_ps(p.y + t * p.dim + i, sum);
  }
}
#endif

void reduce_plain(const HyperReduceParams& p, int64_t t, int64_t begin) {
  const int64_t n = p.streams;
  for (int64_t i = begin; i < p.dim; ++i) {
    float sum = 0.0F;
    for (int64_t j = 0; j < n; ++j) sum += p.pre[t * n + j] * p.x[(t * n + j) * p.dim + i];
    p.y[t * p.dim + i] = sum;
  }
}

int64_t token_grain(int64_t values) {
  return std::max<int64_t>(1, 32768 / std::max<int64_t>(1, values));
}

}  // namespace

void hyper_mix_reference(const HyperMixParams& p) {
  std::vector<double> comb(static_cast<size_t>(p.streams * p.streams));
  for (int64_t t = 0; t < p.tokens; ++t) mix_token<double>(p, t, comb.data());
}

void hyper_mix(ThreadPool& pool, const HyperMixParams& p) {
  const int64_t work = p.streams * p.streams * p.iterations * 4;
  pool.parallel_for(p.tokens, token_grain(work), [&](int64_t begin, int64_t end) {
    std::array<float, kMaxStreams * kMaxStreams> comb;
    for (int64_t t = begin; t < end; ++t) mix_token<float>(p, t, comb.data());
  });
}

void hyper_head(const HyperHeadParams& p) {
  for (int64_t i = 0; i < p.tokens * p.streams; ++i) {
    const float r = p.inverse_rms[i / p.streams];
    p.pre[i] = sigmoid(p.m[i] * r * p.scale + p.base[i % p.streams]) + p.eps;
  }
}

void hyper_reduce_reference(const HyperReduceParams& p) {
  for (int64_t t = 0; t < p.tokens; ++t) reduce_plain(p, t, 0);
}

void hyper_reduce(ThreadPool& pool, Isa isa, const HyperReduceParams& p) {
  pool.parallel_for(p.tokens, token_grain(p.streams * p.dim), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      int64_t done = 0;
#if defined(__x86_64__)
      if (isa >= Isa::kAvx2) {
        done = p.dim / 8 * 8;
        reduce_avx2(p, t, done);
      }
#endif
      reduce_plain(p, t, done);
    }
  });
}

void hyper_expand_reference(const HyperExpandParams& p) {
  for (int64_t t = 0; t < p.tokens; ++t) {
    for (int64_t i = 0; i < p.dim; i += kBlock) expand_plain(p, t, i, std::min(kBlock, p.dim - i));
  }
}

void hyper_expand(ThreadPool& pool, Isa isa, const HyperExpandParams& p) {
  const int64_t work = p.streams * p.streams * p.dim;
  pool.parallel_for(p.tokens, token_grain(work), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      for (int64_t i = 0; i < p.dim; i += kBlock) {
        const int64_t width = std::min(kBlock, p.dim - i);
#if defined(__x86_64__)
        if (isa >= Isa::kAvx2 && width % 8 == 0) {
          expand_avx2(p, t, i, width);
          continue;
        }
#endif
        expand_plain(p, t, i, width);
      }
    }
  });
}

}  // namespace dsv4::kernels
