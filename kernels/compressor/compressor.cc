#include "kernels/compressor/compressor.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/simd/avx2.h"

namespace dsv4::kernels {
namespace {

// The rows of one softmax in order: the previous block's first halves, then this block's last ones.
struct Rows {
  const float* const* kv;
  const float* const* gate;
  int64_t offset;  // first channel used
};

int64_t parts_of(const CompressParams& p, const CompressBlock& b, Rows out[2]) {
  int64_t n = 0;
  if (p.overlap && b.previous_kv != nullptr) out[n++] = {b.previous_kv, b.previous_gate, 0};
  out[n++] = {b.kv, b.gate, p.overlap ? p.dim : 0};
  return n;
}

template <typename Real>
void channel(const CompressParams& p, const Rows* parts, int64_t n, int64_t c, float* out) {
  const int64_t width = p.overlap ? 2 * p.dim : p.dim;
  Real top = -std::numeric_limits<Real>::infinity();
  for (int64_t s = 0; s < n; ++s) {
    const int64_t at = parts[s].offset + c;
    for (int64_t i = 0; i < p.ratio; ++i) {
      top = std::max(top, Real(parts[s].gate[i][at]) + p.ape[i * width + at]);
    }
  }
  Real sum = 0;
  Real mixed = 0;
  for (int64_t s = 0; s < n; ++s) {
    const int64_t at = parts[s].offset + c;
    for (int64_t i = 0; i < p.ratio; ++i) {
      const Real e = std::exp(Real(parts[s].gate[i][at]) + p.ape[i * width + at] - top);
      sum += e;
      mixed += e * parts[s].kv[i][at];
    }
  }
  out[c] = static_cast<float>(mixed / sum);
}

#if defined(__x86_64__)
// Eight channels at once.
DSV4_AVX2 void channels_avx2(const CompressParams& p, const Rows* parts, int64_t n, int64_t c,
                             float* out) {
  const int64_t width = p.overlap ? 2 * p.dim : p.dim;
  __m256 top = _mm256_set1_ps(-std::numeric_limits<float>::infinity());
  for (int64_t s = 0; s < n; ++s) {
    const int64_t at = parts[s].offset + c;
    for (int64_t i = 0; i < p.ratio; ++i) {
      const __m256 g = _mm256_add_ps(_mm256_loadu_ps(parts[s].gate[i] + at),
                                     _mm256_loadu_ps(p.ape + i * width + at));
      top = _mm256_max_ps(g, top);
    }
  }
  __m256 sum = _mm256_setzero_ps();
  __m256 mixed = _mm256_setzero_ps();
  for (int64_t s = 0; s < n; ++s) {
    const int64_t at = parts[s].offset + c;
    for (int64_t i = 0; i < p.ratio; ++i) {
      const __m256 g = _mm256_add_ps(_mm256_loadu_ps(parts[s].gate[i] + at),
                                     _mm256_loadu_ps(p.ape + i * width + at));
      const __m256 e = avx2::exp(_mm256_sub_ps(g, top));
      sum = _mm256_add_ps(sum, e);
      mixed = _mm256_fmadd_ps(e, _mm256_loadu_ps(parts[s].kv[i] + at), mixed);
    }
  }
  _mm256_storeu_ps(out + c, _mm256_div_ps(mixed, sum));
}
#endif

}  // namespace

void compress_reference(const CompressParams& p) {
  for (int64_t b = 0; b < p.count; ++b) {
    Rows parts[2];
    const int64_t n = parts_of(p, p.blocks[b], parts);
    for (int64_t c = 0; c < p.dim; ++c) channel<double>(p, parts, n, c, p.blocks[b].out);
  }
}

void compress(ThreadPool& pool, Isa isa, const CompressParams& p) {
  const int64_t work = std::max<int64_t>(1, p.dim * p.ratio * (p.overlap ? 2 : 1));
  pool.parallel_for(p.count, std::max<int64_t>(1, 8192 / work), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      Rows parts[2];
      const int64_t n = parts_of(p, p.blocks[b], parts);
      int64_t c = 0;
#if defined(__x86_64__)
      if (isa >= Isa::kAvx2) {
        for (; c + 8 <= p.dim; c += 8) channels_avx2(p, parts, n, c, p.blocks[b].out);
      }
#endif
      for (; c < p.dim; ++c) channel<float>(p, parts, n, c, p.blocks[b].out);
    }
  });
}

}  // namespace dsv4::kernels
