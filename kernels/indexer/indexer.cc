#include "kernels/indexer/indexer.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "kernels/simd/avx2.h"

namespace dsv4::kernels {
namespace {

template <typename Real>
Real score(const IndexerParams& p, int64_t t, int64_t entry) {
  const float* k = p.keys + entry * p.dim;
  Real sum = 0;
  for (int64_t h = 0; h < p.heads; ++h) {
    const float* q = p.q + (t * p.heads + h) * p.dim;
    Real dot = 0;
    for (int64_t i = 0; i < p.dim; ++i) dot += Real(q[i]) * k[i];
    sum += p.weights[t * p.heads + h] * std::max(dot, Real(0));
  }
  return sum;
}

#if defined(__x86_64__)
// Two heads of one key at a time; dim is a multiple of 8.
DSV4_AVX2 float score_avx2(const IndexerParams& p, int64_t t, int64_t entry) {
  const float* k = p.keys + entry * p.dim;
  const float* w = p.weights + t * p.heads;
  float sum = 0.0F;
  int64_t h = 0;
  for (; h + 2 <= p.heads; h += 2) {
    const float* q0 = p.q + (t * p.heads + h) * p.dim;
    const float* q1 = q0 + p.dim;
    __m256 a = _mm256_setzero_ps();
    __m256 b = _mm256_setzero_ps();
    for (int64_t i = 0; i < p.dim; i += 8) {
      const __m256 v = _mm256_loadu_ps(k + i);
      a = _mm256_fmadd_ps(_mm256_loadu_ps(q0 + i), v, a);
      b = _mm256_fmadd_ps(_mm256_loadu_ps(q1 + i), v, b);
    }
    sum += w[h] * std::max(avx2::sum(a), 0.0F) + w[h + 1] * std::max(avx2::sum(b), 0.0F);
  }
  for (; h < p.heads; ++h) {
    const float* q = p.q + (t * p.heads + h) * p.dim;
    __m256 a = _mm256_setzero_ps();
    for (int64_t i = 0; i < p.dim; i += 8) {
      a = _mm256_fmadd_ps(_mm256_loadu_ps(q + i), _mm256_loadu_ps(k + i), a);
    }
    sum += w[h] * std::max(avx2::sum(a), 0.0F);
  }
  return sum;
}
#endif

// Takes the indexes of the `topk` largest scores in ascending order: everything above the topk-th
// largest value, and of those equal to it the first ones.
template <typename Real>
void take_best(const std::vector<Real>& scores, std::vector<Real>& order, int64_t topk,
               int32_t* selected) {
  order = scores;
  const auto last = order.begin() + (topk - 1);
  std::nth_element(order.begin(), last, order.end(), std::greater<Real>());
  const Real threshold = *last;
  int64_t equals =
      topk - std::count_if(scores.begin(), scores.end(), [&](Real s) { return s > threshold; });
  int64_t n = 0;
  for (size_t b = 0; b < scores.size() && n < topk; ++b) {
    if (scores[b] > threshold || (scores[b] == threshold && equals-- > 0)) {
      selected[n++] = static_cast<int32_t>(b);
    }
  }
}

template <typename Real, typename Score>
void select_token(const IndexerParams& p, int64_t t, std::vector<Real>& scores,
                  std::vector<Real>& order, const Score& score_entry) {
  const int64_t visible = p.visible[t];
  int32_t* selected = p.selected + t * p.topk;
  p.count[t] = std::min(visible, p.topk);
  if (visible <= p.topk) {
    for (int64_t b = 0; b < visible; ++b) selected[b] = static_cast<int32_t>(b);
    return;
  }
  scores.resize(static_cast<size_t>(visible));
  for (int64_t b = 0; b < visible; ++b) {
    const Real s = score_entry(p, t, b);
    // A NaN has no order; damaged weights must not lead the search astray.
    scores[static_cast<size_t>(b)] = std::isnan(s) ? -std::numeric_limits<Real>::infinity() : s;
  }
  take_best(scores, order, p.topk, selected);
}

}  // namespace

void select_entries_reference(const IndexerParams& p) {
  std::vector<double> scores;
  std::vector<double> order;
  for (int64_t t = 0; t < p.tokens; ++t) select_token(p, t, scores, order, score<double>);
}

void select_entries(ThreadPool& pool, Isa isa, const IndexerParams& p) {
  auto* score_entry = score<float>;
#if defined(__x86_64__)
  if (isa >= Isa::kAvx2 && p.dim % 8 == 0) score_entry = score_avx2;
#endif
  pool.parallel_for(p.tokens, 4, [&](int64_t begin, int64_t end) {
    std::vector<float> scores;
    std::vector<float> order;
    for (int64_t t = begin; t < end; ++t) select_token(p, t, scores, order, score_entry);
  });
}

}  // namespace dsv4::kernels
