#include "kernels/indexer/indexer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/indexer/best.h"
#include "kernels/indexer/fp4_keys.h"
#include "kernels/indexer/fp4_scan.h"
#include "kernels/simd/avx2.h"

namespace dsv4::kernels {
namespace {

constexpr int64_t kTokens = 16;           // that share an unpacked tile of keys
constexpr int64_t kTile = Best::kAtOnce;  // keys scored at a time
static_assert(kTile == kFp4Group);

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

ScoreKey score_of(Isa isa, int64_t dim) {
#if defined(__x86_64__)
  if (isa >= Isa::kAvx2 && dim % 8 == 0) return score_avx2;
#endif
  return score<float>;
}

// Groups of keys at begin, begin + step and so on, below end, for the tokens from `token` on.
struct Part {
  int64_t token = 0;
  int64_t begin = 0;
  int64_t end = 0;
  int64_t step = kTile;
};

// best: one for each token.
void search_floats(Isa isa, const IndexerParams& p, const Part& part, std::vector<Best>& best) {
  const RowLayout& layout = p.keys.layout;
  const ScoreKey score_key = score_of(isa, p.dim);
  std::vector<uint8_t> row(static_cast<size_t>(layout.bytes()));
  std::vector<float> keys(static_cast<size_t>(kTile * p.dim));
  float scores[kTile];
  for (int64_t at = part.begin; at < part.end; at += part.step) {
    const int64_t n = std::min(kTile, part.end - at);
    for (int64_t i = 0; i < n; ++i) {
      p.keys.load(at + i, row.data());
      unpack_row(isa, layout, row.data(), keys.data() + i * p.dim);
    }
    for (size_t k = 0; k < best.size(); ++k) {
      const int64_t t = part.token + static_cast<int64_t>(k);
      const int64_t seen = std::min(n, p.visible[t] - at);
      for (int64_t i = 0; i < seen; ++i) scores[i] = score_key(p, t, keys.data() + i * p.dim);
      if (seen > 0) best[k].offer(at, scores, seen);
    }
  }
}

#if defined(__x86_64__)
// With byte arithmetic wherever the scales of FP4 queries and keys allow it: that depends on the
// token and the key alone, so that the way they are grouped changes nothing.
void search_bytes(Isa isa, const IndexerParams& p, const Part& part, std::vector<Best>& best) {
  std::vector<Fp4Queries> queries;
  std::vector<OneByOne> one_by_one;
  for (size_t k = 0; k < best.size(); ++k) {
    queries.push_back(byte_queries(p, part.token + static_cast<int64_t>(k)));
    one_by_one.emplace_back(p, part.token + static_cast<int64_t>(k));
  }
  Fp4Keys keys(isa, p.dim);
  float scores[kTile];
  for (int64_t at = part.begin; at < part.end; at += part.step) {
    const int64_t n = std::min(kTile, part.end - at);
    keys.take(p.keys.group(at));
    for (size_t k = 0; k < best.size(); ++k) {
      const int64_t t = part.token + static_cast<int64_t>(k);
      const int64_t seen = std::min(n, p.visible[t] - at);
      if (seen <= 0) continue;
      if (queries[k].usable) keys.score(queries[k], scores);
      const uint32_t others = queries[k].usable ? keys.wide() : ~uint32_t{0};
      for (int64_t i = 0; i < seen && others != 0; ++i) {
        if ((others >> i & 1) != 0) scores[i] = one_by_one[k].score(at + i);
      }
      best[k].offer(at, scores, seen);
    }
  }
}

// Few queries: stretches of keys that a cache holds, with one token after the other.
void search_in_place(const IndexerParams& p, const Part& part, std::vector<Best>& best) {
  constexpr int64_t kStretch = 2048;
  const int64_t stretch = best.size() == 1 ? part.end - part.begin : kStretch / kTile * part.step;
  for (int64_t at = part.begin; at < part.end; at += stretch) {
    for (size_t k = 0; k < best.size(); ++k) {
      const int64_t t = part.token + static_cast<int64_t>(k);
      const int64_t end = std::min({at + stretch, part.end, p.visible[t]});
      OneByOne one_by_one(p, t);
      scan_keys(byte_queries(p, t), p.keys, {at, end, part.step}, one_by_one, best[k]);
    }
  }
}
#endif

void search(Isa isa, const IndexerParams& p, const Part& part, std::vector<Best>& best) {
#if defined(__x86_64__)
  if (isa >= Isa::kAvx2 && has_byte_scores(p.keys.layout)) {
    if (can_scan(isa, p.dim, std::ssize(best) * p.heads)) return search_in_place(p, part, best);
    return search_bytes(isa, p, part, best);
  }
#endif
  search_floats(isa, p, part, best);
}

void take_all(const IndexerParams& p, int64_t t) {
  for (int64_t b = 0; b < p.visible[t]; ++b) {
    p.selected[t * p.topk + b] = static_cast<int32_t>(b);
  }
  p.count[t] = p.visible[t];
}

// A guess at what the worst of the best will score, for each of `count` tokens from `token` on: a
// little too low, so that somewhat more keys than are wanted are above it, but not every one that
// was among the best for a while. From a sample of keys; -inf when that would not pay.
std::vector<float> guess_floors(Isa isa, const IndexerParams& p, int64_t token, int64_t count) {
  constexpr int64_t kRank = 64;   // of the guess in the sample
  constexpr int64_t kExcess = 3;  // keys above the guess for each that is wanted, as expected
  constexpr int64_t kShare = 16;  // of the keys, at most, is looked at
  const float none = -std::numeric_limits<float>::infinity();
  std::vector<float> floors(static_cast<size_t>(count), none);
  const int64_t seen = p.visible[token];
  const int64_t step = kExcess * p.topk / kRank * kTile;
  if (step < kShare * kTile || seen < kShare * p.topk) return floors;
  std::vector<Best> best;
  for (int64_t k = 0; k < count; ++k) best.emplace_back(isa, kRank);
  search(isa, p, {token, 0, seen, step}, best);
  for (size_t k = 0; k < best.size(); ++k) floors[k] = std::nextafter(best[k].least(), none);
  return floors;
}

// Of the tokens from `token` on: how they are searched. All groups of tokens times all ranges of
// keys are searched side by side, then each token's ranges are put together.
class Selection {
 public:
  Selection(ThreadPool& pool, Isa isa, const IndexerParams& p, int64_t first)
      : isa_(isa), p_(p), first_(first) {
    const int64_t groups = (p.tokens - first + kTokens - 1) / kTokens;
    // Few tokens: more ranges, so that every thread has work.
    const int64_t parts = std::max<int64_t>(1, 4 * pool.size() / groups);
    length_ = std::max(kTile, (most() / parts + kTile) / kTile * kTile);
    ranges_ = (most() + length_ - 1) / length_;
    floors_.resize(static_cast<size_t>(groups));
    best_.resize(static_cast<size_t>(groups * ranges_));
  }

  void run(ThreadPool& pool) {
    pool.parallel_for(std::ssize(floors_), 1, [&](int64_t begin, int64_t end) {
      for (int64_t g = begin; g < end; ++g) {
        floors_[static_cast<size_t>(g)] = guess_floors(isa_, p_, token_of(g), tokens_of(g));
      }
    });
    pool.parallel_for(std::ssize(best_), 1, [&](int64_t begin, int64_t end) {
      for (int64_t unit = begin; unit < end; ++unit) search_unit(unit);
    });
    pool.parallel_for(p_.tokens - first_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) put_together(i);
    });
  }

 private:
  int64_t most() const { return p_.visible[p_.tokens - 1]; }
  int64_t token_of(int64_t group) const { return first_ + group * kTokens; }
  int64_t tokens_of(int64_t group) const { return std::min(kTokens, p_.tokens - token_of(group)); }

  void search_unit(int64_t unit) {
    const int64_t group = unit / ranges_;
    std::vector<Best>& best = best_[static_cast<size_t>(unit)];
    for (const float floor : floors_[static_cast<size_t>(group)]) {
      best.emplace_back(isa_, p_.topk, floor);
    }
    const int64_t begin = unit % ranges_ * length_;
    search(isa_, p_, {token_of(group), begin, std::min(begin + length_, most())}, best);
  }

  void put_together(int64_t i) {
    const auto first = static_cast<size_t>(i / kTokens * ranges_);
    const auto k = static_cast<size_t>(i % kTokens);
    Best& all = best_[first][k];
    for (size_t r = 1; r < static_cast<size_t>(ranges_); ++r) all.merge(best_[first + r][k]);
    if (all.held() < p_.topk) {  // the guess was too high
      std::vector<Best> again;
      again.emplace_back(isa_, p_.topk);
      search(isa_, p_, {first_ + i, 0, p_.visible[first_ + i]}, again);
      all = std::move(again.front());
    }
    p_.count[first_ + i] = all.take(p_.selected + (first_ + i) * p_.topk);
  }

  Isa isa_;
  const IndexerParams& p_;
  int64_t first_;
  int64_t length_ = 0;  // of a range
  int64_t ranges_ = 0;
  std::vector<std::vector<float>> floors_;  // [groups][tokens]
  std::vector<std::vector<Best>> best_;     // [groups, ranges][tokens]
};

// Tokens that see no more than the budget have nothing to choose. Returns the first that has.
int64_t take_small(const IndexerParams& p) {
  int64_t t = 0;
  for (; t < p.tokens && p.visible[t] <= p.topk; ++t) take_all(p, t);
  return t;
}

}  // namespace

#if defined(__x86_64__)
OneByOne::OneByOne(const IndexerParams& p, int64_t t)
    : p_(p),
      t_(t),
      row_(static_cast<size_t>(p.keys.layout.bytes())),
      key_(static_cast<size_t>(p.dim)) {}

float OneByOne::score(int64_t key) {
  p_.keys.load(key, row_.data());
  unpack_row(Isa::kAvx2, p_.keys.layout, row_.data(), key_.data());
  return score_avx2(p_, t_, key_.data());
}
#endif

void select_entries_reference(const IndexerParams& p) {
  std::vector<float> key(static_cast<size_t>(p.dim));
  std::vector<uint8_t> row(static_cast<size_t>(p.keys.layout.bytes()));
  for (int64_t t = take_small(p); t < p.tokens; ++t) {
    std::vector<std::pair<double, int32_t>> order;  // what is to come first is smaller
    for (int64_t b = 0; b < p.visible[t]; ++b) {
      p.keys.load(b, row.data());
      unpack_row_reference(p.keys.layout, row.data(), key.data());
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
  const int64_t first = take_small(p);
  if (first < p.tokens) Selection(pool, isa, p, first).run(pool);
}

}  // namespace dsv4::kernels
