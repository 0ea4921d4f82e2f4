#include "kernels/indexer/indexer.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "kernels/indexer/best.h"
#include "kernels/indexer/fp4_keys.h"
#include "kernels/simd/avx2.h"

namespace dsv4::kernels {
namespace {

constexpr int64_t kTokens = 16;           // that share an unpacked tile of keys
constexpr int64_t kTile = Best::kAtOnce;  // keys unpacked at a time
constexpr int64_t kAhead = 4 * kTile;     // keys that are asked for before they are needed

// The score of one key [dim] for token t.
template <typename Real>
Real score(const IndexerParams& p, int64_t t, const float* key) {
  Real sum = 0;
  for (int64_t h = 0; h < p.heads; ++h) {
    const float* q = p.q + (t * p.heads + h) * p.dim;
    Real dot = 0;
    for (int64_t i = 0; i < p.dim; ++i) dot += Real(q[i]) * key[i];
    sum += p.weights[t * p.heads + h] * std::max(dot, Real(0));
  }
  return sum;
}

#if defined(__x86_64__)
// Two heads of one key at a time; dim is a multiple of 8.
DSV4_AVX2 float score_avx2(const IndexerParams& p, int64_t t, const float* key) {
  const float* w = p.weights + t * p.heads;
  float sum = 0.0F;
  int64_t h = 0;
  for (; h + 2 <= p.heads; h += 2) {
    const float* q0 = p.q + (t * p.heads + h) * p.dim;
    const float* q1 = q0 + p.dim;
    __m256 a = _mm256_setzero_ps();
    __m256 b = _mm256_setzero_ps();
    for (int64_t i = 0; i < p.dim; i += 8) {
      const __m256 v = _mm256_loadu_ps(key + i);
      a = _mm256_fmadd_ps(_mm256_loadu_ps(q0 + i), v, a);
      b = _mm256_fmadd_ps(_mm256_loadu_ps(q1 + i), v, b);
    }
    sum += w[h] * std::max(avx2::sum(a), 0.0F) + w[h + 1] * std::max(avx2::sum(b), 0.0F);
  }
  for (; h < p.heads; ++h) {
    const float* q = p.q + (t * p.heads + h) * p.dim;
    __m256 a = _mm256_setzero_ps();
    for (int64_t i = 0; i < p.dim; i += 8) {
      a = _mm256_fmadd_ps(_mm256_loadu_ps(q + i), _mm256_loadu_ps(key + i), a);
    }
    sum += w[h] * std::max(avx2::sum(a), 0.0F);
  }
  return sum;
}
#endif

using ScoreKey = float (*)(const IndexerParams&, int64_t, const float*);

// Keys [begin, end) for the tokens from `token` on; best: one each.
void search(Isa isa, const IndexerParams& p, int64_t token, int64_t begin, int64_t end,
            std::vector<Best>& best, ScoreKey score_key) {
  const RowLayout& layout = p.keys.layout;
  const bool packed = layout.format != RowFormat::kF32;
  std::vector<float> tile(packed ? static_cast<size_t>(kTile * p.dim) : 0);
  const uint8_t* rows[kTile];
  const float* keys[kTile];
  float scores[kTile];
  for (int64_t at = begin; at < end; at += kTile) {
    const int64_t n = std::min(kTile, end - at);
    p.keys.rows(at, n, rows);
    for (int64_t i = 0; i < n; ++i) {
      float* to = packed ? tile.data() + i * p.dim : nullptr;
      if (packed) unpack_row(isa, layout, rows[i], to);
      keys[i] = packed ? to : reinterpret_cast<const float*>(rows[i]);
    }
    for (size_t k = 0; k < best.size(); ++k) {
      const int64_t t = token + static_cast<int64_t>(k);
      const int64_t seen = std::min(n, p.visible[t] - at);
      for (int64_t i = 0; i < seen; ++i) scores[i] = score_key(p, t, keys[i]);
      if (seen > 0) best[k].offer(at, scores, seen);
    }
  }
}

#if defined(__x86_64__)
// The same for FP4 keys, with byte arithmetic wherever their scales allow it: that depends on the
// token and the key alone, so that the way they are grouped changes nothing.
void search_bytes(Isa isa, const IndexerParams& p, int64_t token, int64_t begin, int64_t end,
                  std::vector<Best>& best) {
  std::vector<Fp4Queries> queries;
  for (size_t k = 0; k < best.size(); ++k) {
    queries.push_back(byte_queries(p, token + static_cast<int64_t>(k)));
  }
  static_assert(Fp4Keys::kRows == kTile);
  Fp4Keys keys(isa, p.dim, static_cast<int64_t>(best.size()) * p.heads);
  std::vector<float> key(static_cast<size_t>(p.dim));
  float scores[kTile];
  for (int64_t at = begin; at < end; at += kTile) {
    const int64_t n = std::min(kTile, end - at);
    const int64_t ahead = at + kAhead;
    if (ahead < end) p.keys.prefetch(ahead, std::min(kTile, end - ahead));
    keys.take(p.keys, at, n);
    for (size_t k = 0; k < best.size(); ++k) {
      const int64_t t = token + static_cast<int64_t>(k);
      const int64_t seen = std::min(n, p.visible[t] - at);
      if (seen <= 0) continue;
      if (queries[k].usable) keys.score(queries[k], scores);
      const bool all = queries[k].usable && !keys.any_wide();
      for (int64_t i = 0; i < seen && !all; ++i) {
        if (queries[k].usable && !keys.wide(i)) continue;
        unpack_row(Isa::kAvx2, p.keys.layout, p.keys.row(at + i), key.data());
        scores[i] = score_avx2(p, t, key.data());
      }
      best[k].offer(at, scores, seen);
    }
  }
}
#endif

void take_all(const IndexerParams& p, int64_t t) {
  for (int64_t b = 0; b < p.visible[t]; ++b) {
    p.selected[t * p.topk + b] = static_cast<int32_t>(b);
  }
  p.count[t] = p.visible[t];
}

// All groups of tokens times all ranges of keys are searched side by side, then each token's
// ranges are put together.
void select(ThreadPool& pool, Isa isa, const IndexerParams& p, int64_t first, ScoreKey score_key) {
  const int64_t groups = (p.tokens - first + kTokens - 1) / kTokens;
  if (groups <= 0) return;
  const int64_t most = p.visible[p.tokens - 1];
  // Few tokens: more ranges, so that every thread has work.
  const int64_t parts = std::max<int64_t>(1, 2 * pool.size() / groups);
  const int64_t length = std::max(kTile, (most / parts + kTile) / kTile * kTile);
  const int64_t ranges = (most + length - 1) / length;
  std::vector<std::vector<Best>> best(static_cast<size_t>(groups * ranges));
  pool.parallel_for(groups * ranges, 1, [&](int64_t begin, int64_t end) {
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t token = first + unit / ranges * kTokens;
      const int64_t from = unit % ranges * length;
      const auto count = static_cast<size_t>(std::min(kTokens, p.tokens - token));
      std::vector<Best>& held = best[static_cast<size_t>(unit)];
      for (size_t k = 0; k < count; ++k) held.emplace_back(isa, p.topk);
      const int64_t to = std::min(from + length, most);
#if defined(__x86_64__)
      if (isa >= Isa::kAvx2 && has_byte_scores(p.keys.layout)) {
        search_bytes(isa, p, token, from, to, held);
        continue;
      }
#endif
      search(isa, p, token, from, to, held, score_key);
    }
  });
  pool.parallel_for(p.tokens - first, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const auto group = static_cast<size_t>(i / kTokens * ranges);
      const auto k = static_cast<size_t>(i % kTokens);
      Best& all = best[group][k];
      for (size_t r = 1; r < static_cast<size_t>(ranges); ++r) all.merge(best[group + r][k]);
      p.count[first + i] = all.take(p.selected + (first + i) * p.topk);
    }
  });
}

// Tokens that see no more than the budget have nothing to choose. Returns the first that has.
int64_t take_small(const IndexerParams& p) {
  int64_t t = 0;
  for (; t < p.tokens && p.visible[t] <= p.topk; ++t) take_all(p, t);
  return t;
}

}  // namespace

void select_entries_reference(const IndexerParams& p) {
  std::vector<float> key(static_cast<size_t>(p.dim));
  for (int64_t t = take_small(p); t < p.tokens; ++t) {
    std::vector<std::pair<double, int32_t>> order;  // what is to come first is smaller
    for (int64_t b = 0; b < p.visible[t]; ++b) {
      unpack_row_reference(p.keys.layout, p.keys.row(b), key.data());
      const double s = score<double>(p, t, key.data());
      if (!std::isnan(s)) order.emplace_back(-s, static_cast<int32_t>(b));
    }
    std::sort(order.begin(), order.end());
    order.resize(std::min(order.size(), static_cast<size_t>(p.topk)));
    int32_t* selected = p.selected + t * p.topk;
    for (size_t i = 0; i < order.size(); ++i) selected[i] = order[i].second;
    std::sort(selected, selected + order.size());
    p.count[t] = static_cast<int64_t>(order.size());
  }
}

void select_entries(ThreadPool& pool, Isa isa, const IndexerParams& p) {
  ScoreKey score_key = score<float>;
#if defined(__x86_64__)
  if (isa >= Isa::kAvx2 && p.dim % 8 == 0) score_key = score_avx2;
#endif
  select(pool, isa, p, take_small(p), score_key);
}

}  // namespace dsv4::kernels
