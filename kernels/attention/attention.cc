#include "kernels/attention/attention.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/simd/avx2.h"

namespace dsv4::kernels {
namespace {

// What one token sees.
struct Seen {
  std::vector<const float*> rows;  // in order
  std::vector<float> unpacked;     // those of the rows that were packed

  void gather(Isa isa, const AttentionParams& p, int64_t t) {
    rows.clear();
    const int64_t end = p.earlier + t + 1;
    for (int64_t i = std::max<int64_t>(0, end - p.window_size); i < end; ++i) {
      rows.push_back(p.window[i]);
    }
    const int64_t count = p.count == nullptr ? 0 : p.count[t];
    const bool packed = p.entries.layout.format != RowFormat::kF32;
    if (packed && p.selected != nullptr) unpacked.resize(static_cast<size_t>(count * p.dim));
    for (int64_t i = 0; i < count; ++i) {
      const int64_t entry = p.selected == nullptr ? i : p.selected[t * p.selected_stride + i];
      if (!packed) {
        rows.push_back(reinterpret_cast<const float*>(p.entries.row(entry)));
      } else if (p.selected == nullptr) {
        rows.push_back(p.unpacked + i * p.dim);
      } else {
        float* to = unpacked.data() + i * p.dim;
        unpack_row(isa, p.entries.layout, p.entries.row(entry), to);
        rows.push_back(to);
      }
    }
  }
};

// Entries that every token sees from the first on are unpacked once.
void unpack_shared(ThreadPool& pool, Isa isa, const AttentionParams& p) {
  if (p.count == nullptr || p.selected != nullptr) return;
  if (p.entries.layout.format == RowFormat::kF32) return;
  constexpr int64_t kGrain = 64;
  const int64_t most = *std::max_element(p.count, p.count + p.tokens);
  pool.parallel_for(most, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      unpack_row(isa, p.entries.layout, p.entries.row(i), p.unpacked + i * p.dim);
    }
  });
}

float* output_of(const AttentionParams& p, int64_t t, int64_t head) {
  const int64_t per_group = p.heads / p.groups;
  const int64_t group = head / per_group;
  const int64_t tokens = p.out_tokens == 0 ? p.tokens : p.out_tokens;
  return p.out + ((group * tokens + t) * per_group + head % per_group) * p.dim;
}

// scores: [rows]. `Real` also accumulates the output.
template <typename Real>
void one_head(const AttentionParams& p, int64_t t, int64_t head,
              const std::vector<const float*>& rows, std::vector<Real>& scores,
              std::vector<Real>& sums) {
  const float* q = p.q + (t * p.heads + head) * p.dim;
  Real top = p.sink[head];
  scores.clear();
  for (const float* row : rows) {
    Real dot = 0;
    for (int64_t i = 0; i < p.dim; ++i) dot += Real(q[i]) * row[i];
    scores.push_back(dot * p.scale);
    top = std::max(top, scores.back());
  }
  Real total = std::exp(Real(p.sink[head]) - top);
  sums.assign(static_cast<size_t>(p.dim), Real(0));
  for (size_t r = 0; r < rows.size(); ++r) {
    const Real e = std::exp(scores[r] - top);
    total += e;
    for (int64_t i = 0; i < p.dim; ++i) sums[static_cast<size_t>(i)] += e * rows[r][i];
  }
  float* out = output_of(p, t, head);
  for (int64_t i = 0; i < p.dim; ++i) {
    out[i] = static_cast<float>(sums[static_cast<size_t>(i)] / total);
  }
}

#if defined(__x86_64__)

constexpr int64_t kHeads = 4;  // heads that share one pass over the rows

// scores[h][r] = q_h . row_r * scale, for four heads and two rows at a time.
DSV4_AVX2 void scores_avx2(const float* q, int64_t dim, float scale, const float* const* rows,
                           int64_t n, int64_t stride, float* scores) {
  for (int64_t r = 0; r < n; r += 2) {
    const float* a = rows[r];
    const float* b = rows[std::min(r + 1, n - 1)];
    __m256 s[2][kHeads];
    for (auto& row : s) {
      for (__m256& v : row) v = _mm256_setzero_ps();
    }
    for (int64_t i = 0; i < dim; i += 8) {
      const __m256 va = _mm256_loadu_ps(a + i);
      const __m256 vb = _mm256_loadu_ps(b + i);
      for (int64_t h = 0; h < kHeads; ++h) {
        const __m256 vq = _mm256_loadu_ps(q + h * dim + i);
        s[0][h] = _mm256_fmadd_ps(vq, va, s[0][h]);
        s[1][h] = _mm256_fmadd_ps(vq, vb, s[1][h]);
      }
    }
    for (int64_t h = 0; h < kHeads; ++h) {
      scores[h * stride + r] = avx2::sum(s[0][h]) * scale;
      if (r + 1 < n) scores[h * stride + r + 1] = avx2::sum(s[1][h]) * scale;
    }
  }
}

// Turns one head's scores into weights that sum to at most 1. The padding up to a multiple of 8 is
// overwritten.
DSV4_AVX2 void softmax_avx2(float* scores, int64_t n, float sink) {
  const int64_t padded = (n + 7) / 8 * 8;
  for (int64_t i = n; i < padded; ++i) scores[i] = -INFINITY;
  __m256 top = _mm256_set1_ps(sink);
  for (int64_t i = 0; i < padded; i += 8) top = _mm256_max_ps(_mm256_loadu_ps(scores + i), top);
  const float peak = avx2::max(top);
  const __m256 p = _mm256_set1_ps(peak);
  __m256 sum = _mm256_setzero_ps();
  for (int64_t i = 0; i < padded; i += 8) {
    const __m256 e = avx2::exp(_mm256_sub_ps(_mm256_loadu_ps(scores + i), p));
    _mm256_storeu_ps(scores + i, e);
    sum = _mm256_add_ps(sum, e);
  }
  const __m256 factor = _mm256_set1_ps(1.0F / (avx2::sum(sum) + std::exp(sink - peak)));
  for (int64_t i = 0; i < padded; i += 8) {
    _mm256_storeu_ps(scores + i, _mm256_mul_ps(_mm256_loadu_ps(scores + i), factor));
  }
}

// out_h += sum_r scores[h][r] * row_r for four heads, 16 channels at a time.
DSV4_AVX2 void mix_avx2(const float* const* rows, int64_t n, int64_t dim, const float* scores,
                        int64_t stride, float* const* out) {
  int64_t i = 0;
  for (; i + 16 <= dim; i += 16) {
    __m256 s[2][kHeads];
    for (auto& half : s) {
      for (__m256& v : half) v = _mm256_setzero_ps();
    }
    for (int64_t r = 0; r < n; ++r) {
      const __m256 a = _mm256_loadu_ps(rows[r] + i);
      const __m256 b = _mm256_loadu_ps(rows[r] + i + 8);
      for (int64_t h = 0; h < kHeads; ++h) {
        const __m256 w = _mm256_broadcast_ss(scores + h * stride + r);
        s[0][h] = _mm256_fmadd_ps(w, a, s[0][h]);
        s[1][h] = _mm256_fmadd_ps(w, b, s[1][h]);
      }
    }
    for (int64_t h = 0; h < kHeads; ++h) {
      _mm256_storeu_ps(out[h] + i, s[0][h]);
      _mm256_storeu_ps(out[h] + i + 8, s[1][h]);
    }
  }
  for (; i < dim; i += 8) {
    for (int64_t h = 0; h < kHeads; ++h) {
      __m256 s = _mm256_setzero_ps();
      for (int64_t r = 0; r < n; ++r) {
        s = _mm256_fmadd_ps(_mm256_broadcast_ss(scores + h * stride + r),
                            _mm256_loadu_ps(rows[r] + i), s);
      }
      _mm256_storeu_ps(out[h] + i, s);
    }
  }
}

// Four heads from `head` on.
DSV4_AVX2 void heads_avx2(const AttentionParams& p, int64_t t, int64_t head,
                          const std::vector<const float*>& rows, std::vector<float>& scores) {
  const auto n = static_cast<int64_t>(rows.size());
  const int64_t stride = (n + 7) / 8 * 8;
  scores.resize(static_cast<size_t>(kHeads * stride));
  const float* q = p.q + (t * p.heads + head) * p.dim;
  scores_avx2(q, p.dim, p.scale, rows.data(), n, stride, scores.data());
  float* out[kHeads];
  for (int64_t h = 0; h < kHeads; ++h) {
    softmax_avx2(scores.data() + h * stride, n, p.sink[head + h]);
    out[h] = output_of(p, t, head + h);
  }
  mix_avx2(rows.data(), n, p.dim, scores.data(), stride, out);
}

#endif

// A unit of work is one token's block of heads; both paths cut heads in the same way, so that the
// thread that takes a unit does not matter.
struct Scratch {
  Seen seen;
  std::vector<float> scores;
  std::vector<float> sums;
};

void some_heads(Isa isa, const AttentionParams& p, int64_t t, int64_t begin, int64_t end,
                Scratch& scratch) {
  scratch.seen.gather(isa, p, t);
  const std::vector<const float*>& rows = scratch.seen.rows;
  int64_t head = begin;
#if defined(__x86_64__)
  if (isa >= Isa::kAvx2 && p.dim % 8 == 0) {
    for (; head + kHeads <= end; head += kHeads) {
      heads_avx2(p, t, head, rows, scratch.scores);
    }
  }
#endif
  for (; head < end; ++head) one_head(p, t, head, rows, scratch.scores, scratch.sums);
}

}  // namespace

void attention_reference(const AttentionParams& p) {
  ThreadPool alone(1);
  unpack_shared(alone, Isa::kScalar, p);
  Seen seen;
  std::vector<double> scores;
  std::vector<double> sums;
  for (int64_t t = 0; t < p.tokens; ++t) {
    seen.gather(Isa::kScalar, p, t);
    for (int64_t h = 0; h < p.heads; ++h) one_head(p, t, h, seen.rows, scores, sums);
  }
}

void attention(ThreadPool& pool, Isa isa, const AttentionParams& p) {
  constexpr int64_t kBlock = 16;
  unpack_shared(pool, isa, p);
  const int64_t blocks = (p.heads + kBlock - 1) / kBlock;
  pool.parallel_for(p.tokens * blocks, 2, [&](int64_t begin, int64_t end) {
    Scratch scratch;
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t head = unit % blocks * kBlock;
      some_heads(isa, p, unit / blocks, head, std::min(head + kBlock, p.heads), scratch);
    }
  });
}

}  // namespace dsv4::kernels
