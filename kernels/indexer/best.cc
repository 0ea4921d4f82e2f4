#include "kernels/indexer/best.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "kernels/simd/avx2.h"
#include "kernels/simd/avx512.h"

namespace dsv4::kernels {
namespace {

// Integers in the order of the floats that they stand for. The two zeros differ, but comparisons
// are made with floats again.
int32_t ordered(float x) {
  const auto bits = std::bit_cast<int32_t>(x);
  return bits ^ (bits >> 31 & 0x7fffffff);
}
float number(int32_t order) { return std::bit_cast<float>(order ^ (order >> 31 & 0x7fffffff)); }

// Where the numbers to keep are, and how many of those that equal the least are wanted.
struct Cut {
  float least = 0.0F;
  int64_t equals = 0;
};

// Moves what is above the cut, and the first of its equals, to the front; returns how many.
int64_t cut_plain(float* scores, int32_t* indexes, int64_t n, Cut cut) {
  int64_t kept = 0;
  for (int64_t i = 0; i < n; ++i) {
    const bool equal = scores[i] == cut.least;
    const bool keeps = scores[i] > cut.least || (equal && cut.equals > 0);
    cut.equals -= equal ? 1 : 0;
    scores[kept] = scores[i];
    indexes[kept] = indexes[i];
    kept += keeps ? 1 : 0;
  }
  return kept;
}

int64_t count_plain(const float* scores, int64_t n, float least) {
  int64_t count = 0;
  for (int64_t i = 0; i < n; ++i) count += scores[i] >= least ? 1 : 0;
  return count;
}

#if defined(__x86_64__)
DSV4_AVX2 int64_t count_avx2(const float* scores, int64_t n, float least) {
  const __m256 bound = _mm256_set1_ps(least);
  __m256i count = _mm256_setzero_si256();
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const __m256 found = _mm256_cmp_ps(_mm256_loadu_ps(scores + i), bound, _CMP_GE_OQ);
    count = _mm256_sub_epi32(count, _mm256_castps_si256(found));
  }
  alignas(32) int32_t lanes[8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), count);
  return std::accumulate(lanes, lanes + 8, int64_t{0}) + count_plain(scores + i, n - i, least);
}

// The lowest n bits that are set, of sixteen.
inline uint32_t lowest_set(uint32_t bits, int64_t n) {
  uint32_t out = 0;
  for (; n > 0 && bits != 0; --n, bits &= bits - 1) out |= bits & ~(bits - 1);
  return out;
}

// Whole registers may be written: sixteen places follow the last.
DSV4_AVX512 inline int64_t append_avx512(__m512 scores, __m512i indexes, uint32_t which,
                                         float* scores_to, int32_t* indexes_to) {
  const auto mask = static_cast<__mmask16>(which);
  _mm512_storeu_ps(scores_to, _mm512_maskz_compress_ps(mask, scores));
  _mm512_storeu_si512(indexes_to, _mm512_maskz_compress_epi32(mask, indexes));
  return std::popcount(which);
}

DSV4_AVX512 int64_t cut_avx512(float* scores, int32_t* indexes, int64_t n, Cut cut) {
  const __m512 least = _mm512_set1_ps(cut.least);
  int64_t kept = 0;
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 here = avx512::mask(n - i);
    const __m512 s = _mm512_maskz_loadu_ps(here, scores + i);
    const __m512i at = _mm512_maskz_loadu_epi32(here, indexes + i);
    const uint32_t above = _mm512_mask_cmp_ps_mask(here, s, least, _CMP_GT_OQ);
    uint32_t equal = _mm512_mask_cmp_ps_mask(here, s, least, _CMP_EQ_OQ);
    equal = lowest_set(equal, cut.equals);
    cut.equals -= std::popcount(equal);
    kept += append_avx512(s, at, above | equal, scores + kept, indexes + kept);
  }
  return kept;
}

DSV4_AVX512 int64_t count_avx512(const float* scores, int64_t n, float least) {
  const __m512 bound = _mm512_set1_ps(least);
  const __m512i one = _mm512_set1_epi32(1);
  __m512i count = _mm512_setzero_si512();
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 here = avx512::mask(n - i);
    const __m512 s = _mm512_maskz_loadu_ps(here, scores + i);
    const __mmask16 found = _mm512_mask_cmp_ps_mask(here, s, bound, _CMP_GE_OQ);
    count = _mm512_mask_add_epi32(count, found, count, one);
  }
  return _mm512_reduce_add_epi32(count);
}

// Appends the scores above the floor; returns how many. Those that are offered have the indexes
// first, first + 1 and so on; those that are merged bring theirs along.
DSV4_AVX512 int64_t offer_avx512(const float* scores, int64_t first, int64_t n, float floor,
                                 float* scores_to, int32_t* indexes_to) {
  const __m512 bound = _mm512_set1_ps(floor);
  const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  int64_t kept = 0;
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 here = avx512::mask(n - i);
    const __m512 s = _mm512_maskz_loadu_ps(here, scores + i);
    const uint32_t above = _mm512_mask_cmp_ps_mask(here, s, bound, _CMP_GT_OQ);
    if (above == 0) continue;
    const __m512i at = _mm512_add_epi32(lanes, _mm512_set1_epi32(static_cast<int>(first + i)));
    kept += append_avx512(s, at, above, scores_to + kept, indexes_to + kept);
  }
  return kept;
}

DSV4_AVX512 int64_t merge_avx512(const float* scores, const int32_t* indexes, int64_t n,
                                 float floor, float* scores_to, int32_t* indexes_to) {
  const __m512 bound = _mm512_set1_ps(floor);
  int64_t kept = 0;
  for (int64_t i = 0; i < n; i += 16) {
    const __mmask16 here = avx512::mask(n - i);
    const __m512 s = _mm512_maskz_loadu_ps(here, scores + i);
    const uint32_t above = _mm512_mask_cmp_ps_mask(here, s, bound, _CMP_GT_OQ);
    kept += append_avx512(s, _mm512_maskz_loadu_epi32(here, indexes + i), above, scores_to + kept,
                          indexes_to + kept);
  }
  return kept;
}
#endif

int64_t offer_plain(const float* scores, int64_t first, int64_t n, float floor, float* scores_to,
                    int32_t* indexes_to) {
  // Nearly always none is above the floor.
  bool any = false;
  for (int64_t i = 0; i < n; ++i) any |= scores[i] > floor;
  int64_t kept = 0;
  for (int64_t i = 0; any && i < n; ++i) {
    scores_to[kept] = scores[i];
    indexes_to[kept] = static_cast<int32_t>(first + i);
    kept += scores[i] > floor ? 1 : 0;
  }
  return kept;
}

int64_t merge_plain(const float* scores, const int32_t* indexes, int64_t n, float floor,
                    float* scores_to, int32_t* indexes_to) {
  int64_t kept = 0;
  for (int64_t i = 0; i < n; ++i) {
    scores_to[kept] = scores[i];
    indexes_to[kept] = indexes[i];
    kept += scores[i] > floor ? 1 : 0;
  }
  return kept;
}

// The same by the strongest code.
struct Functions {
  decltype(&offer_plain) offer = offer_plain;
  decltype(&merge_plain) merge = merge_plain;
  decltype(&count_plain) count = count_plain;
  decltype(&cut_plain) cut = cut_plain;
};
constexpr Functions kPlain;

const Functions& functions(Isa isa) {
#if defined(__x86_64__)
  static constexpr Functions kAvx2{offer_plain, merge_plain, count_avx2, cut_plain};
  static constexpr Functions kAvx512{offer_avx512, merge_avx512, count_avx512, cut_avx512};
  if (isa >= Isa::kAvx512) return kAvx512;
  if (isa >= Isa::kAvx2) return kAvx2;
#endif
  return kPlain;
}

}  // namespace

Best::Best(Isa isa, int64_t wanted, float floor)
    : isa_(isa),
      wanted_(wanted),
      floor_(floor),
      scores_(std::make_unique_for_overwrite<float[]>(static_cast<size_t>(2 * wanted + kAtOnce))),
      indexes_(
          std::make_unique_for_overwrite<int32_t[]>(static_cast<size_t>(2 * wanted + kAtOnce))) {}

void Best::offer(int64_t first, const float* scores, int64_t n) {
  held_ += functions(isa_).offer(scores, first, n, floor_, scores_.get() + held_,
                                 indexes_.get() + held_);
  if (held_ >= 2 * wanted_) shrink();
}

void Best::merge(const Best& other) {
  for (int64_t i = 0; i < other.held_; i += kAtOnce) {
    held_ += functions(isa_).merge(other.scores_.get() + i, other.indexes_.get() + i,
                                   std::min(kAtOnce, other.held_ - i), floor_,
                                   scores_.get() + held_, indexes_.get() + held_);
    if (held_ >= 2 * wanted_) shrink();
  }
}

float Best::least() {
  shrink();
  if (held_ < wanted_) return -std::numeric_limits<float>::infinity();
  return *std::min_element(scores_.get(), scores_.get() + held_);
}

int64_t Best::take(int32_t* selected) {
  shrink();
  std::copy_n(indexes_.get(), held_, selected);
  return held_;
}

// Halves the range in which the worst of the wanted lies until it is found, or until a number is
// that separates it from the next one.
void Best::shrink() {
  if (held_ <= wanted_) return;
  int64_t low = ordered(floor_);  // at least as many as are wanted are not below it
  int64_t high = int64_t{ordered(std::numeric_limits<float>::infinity())} + 1;  // fewer are not
  int64_t from_low = held_;
  int64_t from_high = 0;
  while (high - low > 1 && from_low != wanted_) {
    const int64_t middle = low + (high - low) / 2;
    const int64_t count =
        functions(isa_).count(scores_.get(), held_, number(static_cast<int32_t>(middle)));
    (count >= wanted_ ? low : high) = middle;
    (count >= wanted_ ? from_low : from_high) = count;
  }
  floor_ = number(static_cast<int32_t>(low));
  const Cut cut{floor_, wanted_ - from_high};
  held_ = functions(isa_).cut(scores_.get(), indexes_.get(), held_, cut);
}

}  // namespace dsv4::kernels
