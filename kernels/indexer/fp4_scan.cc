#include "kernels/indexer/fp4_scan.h"

#if defined(__x86_64__)
#include <algorithm>
#include <cstring>
#include <optional>

#include "kernels/indexer/fp4_scales.h"

namespace dsv4::kernels {
namespace {

constexpr int kUp = 12;  // what makes doubled e2m1 values unsigned
constexpr int kTiles = kFp4Group / 16;
constexpr int kBlocks = kWideDim / kKeyBlock;
constexpr int kWords = 4;   // of eight channels, in a block
constexpr int kLeast = 33;  // scale bytes of which products stay normal numbers
constexpr int kMost = 190;

// So many bytes are asked for before they are needed, line by line between the products, where that
// costs nothing. Pages mostly follow each other in memory; where they do not, it is in vain.
constexpr int64_t kAhead = 4 * kFp4Group * (kWideDim / 2 + kBlocks);

// Doubled values, shifted up, for indexes of which only the lowest four bits count.
struct Doubled {
  alignas(64) uint8_t values[64];
};
constexpr Doubled make_doubled() {
  constexpr int kMagnitudes[8] = {0, 1, 2, 3, 4, 6, 8, 12};
  Doubled table{};
  for (int i = 0; i < 64; ++i) {
    const int value = kMagnitudes[i & 7];
    table.values[i] = static_cast<uint8_t>((i & 8) != 0 ? kUp - value : kUp + value);
  }
  return table;
}
constexpr Doubled kDoubled = make_doubled();

// Four bytes of a query in every lane: kept in a register, because loading them again for the next
// tile takes the place of loading keys.
DSV4_BYTES inline __m512i four_bytes(const int8_t* query) {
  int32_t four = 0;
  std::memcpy(&four, query, 4);
  __m512i lanes = _mm512_set1_epi32(four);
  asm("" : "+v"(lanes));
  return lanes;
}

// Two in turn share what is loaded of the queries, and are enough sums under way at once.
template <int G>
struct Groups {
  const uint8_t* at[G];

  const uint8_t* codes(int tile, int64_t word) const {
    return at[tile / kTiles] + (word * kTiles + tile % kTiles) * 64;
  }
  const uint8_t* scales(int tile, int block) const {
    return at[tile / kTiles] + kFp4Group * (kWideDim / 2 + block) + tile % kTiles * 16;
  }
};

// Adds the dot products of keys with H heads' queries by one block, times the keys' scales: sums of
// the same power of two, small enough to be exact in floats.
template <int H, int G>
DSV4_BYTES inline void add_block(const int8_t* query, const int32_t* sums, const Groups<G>& groups,
                                 int block, __m512 (&dots)[H][G * kTiles]) {
  constexpr int kAll = G * kTiles;
  const __m512i table = _mm512_load_si512(kDoubled.values);
  __m512i products[H][kAll];
#pragma GCC unroll 2
  for (int h = 0; h < H; ++h) {
    const __m512i start = _mm512_set1_epi32(-kUp * sums[h * kBlocks]);
    for (int tile = 0; tile < kAll; ++tile) products[h][tile] = start;
  }
#pragma GCC unroll 4
  for (int w = 0; w < kWords; ++w) {
    __m512i even[kAll];
    __m512i odd[kAll];
#pragma GCC unroll 4
    for (int tile = 0; tile < kAll; ++tile) {
      const uint8_t* codes = groups.codes(tile, block * kWords + w);
      __m512i keys = _mm512_loadu_si512(codes);
      asm("" : "+v"(keys));
      __builtin_prefetch(codes + kAhead, 0, 3);
      even[tile] = _mm512_permutexvar_epi8(keys, table);
      odd[tile] = _mm512_permutexvar_epi8(_mm512_srli_epi16(keys, 4), table);
    }
#pragma GCC unroll 2
    for (int h = 0; h < H; ++h) {
      const __m512i q_even = four_bytes(query + h * kWideDim + 4 * w);
      const __m512i q_odd = four_bytes(query + h * kWideDim + kKeyBlock / 2 + 4 * w);
#pragma GCC unroll 4
      for (int tile = 0; tile < kAll; ++tile) {
        products[h][tile] = _mm512_dpbusd_epi32(products[h][tile], even[tile], q_even);
      }
#pragma GCC unroll 4
      for (int tile = 0; tile < kAll; ++tile) {
        products[h][tile] = _mm512_dpbusd_epi32(products[h][tile], odd[tile], q_odd);
      }
    }
  }
#pragma GCC unroll 4
  for (int tile = 0; tile < kAll; ++tile) {
    const auto* bytes = reinterpret_cast<const __m128i*>(groups.scales(tile, block));
    const __m512i exponents = _mm512_slli_epi32(_mm512_cvtepu8_epi32(_mm_loadu_si128(bytes)), 23);
    const __m512 scale = _mm512_castsi512_ps(exponents);
#pragma GCC unroll 2
    for (int h = 0; h < H; ++h) {
      dots[h][tile] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(products[h][tile]), scale, dots[h][tile]);
    }
  }
}

// Adds the scores of H heads from `head` on.
template <int H, int G>
DSV4_BYTES inline void add_heads(const Fp4Queries& queries, int64_t head, const Groups<G>& groups,
                                 __m512 (&scores)[G * kTiles]) {
  constexpr int kAll = G * kTiles;
  const int8_t* query = queries.bytes.data() + head * kWideDim;
  const int32_t* sums = queries.sums.data() + head * kBlocks;
  const float* factor = queries.factor.data() + head;
  __m512 dots[H][kAll];
  for (int h = 0; h < H; ++h) {
    for (int tile = 0; tile < kAll; ++tile) dots[h][tile] = _mm512_setzero_ps();
  }
#pragma GCC unroll 1
  for (int b = 0; b < kBlocks; ++b) {
    add_block<H, G>(query + b * kKeyBlock, sums + b, groups, b, dots);
  }
#pragma GCC unroll 2
  for (int h = 0; h < H; ++h) {
    const __m512 half = _mm512_set1_ps(0.5F * factor[h]);  // keys are doubled too
#pragma GCC unroll 4
    for (int tile = 0; tile < kAll; ++tile) {
      const __m512 positive = _mm512_max_ps(dots[h][tile], _mm512_setzero_ps());
      scores[tile] = _mm512_fmadd_ps(positive, half, scores[tile]);
    }
  }
}

// scores [G * kFp4Group]. Returns which are above the floor, a bit each.
template <int G>
DSV4_BYTES inline uint64_t score_groups(const Fp4Queries& queries, const Groups<G>& groups,
                                        float floor, float* scores) {
  const auto heads = static_cast<int64_t>(queries.factor.size());
  __m512 sums[G * kTiles];
  for (__m512& sum : sums) sum = _mm512_setzero_ps();
  int64_t h = 0;
  for (; h + 2 <= heads; h += 2) add_heads<2, G>(queries, h, groups, sums);
  if (h < heads) add_heads<1, G>(queries, h, groups, sums);
  uint64_t above = 0;
  for (int tile = 0; tile < G * kTiles; ++tile) {
    _mm512_storeu_ps(scores + tile * 16, sums[tile]);
    const uint64_t here = _mm512_cmp_ps_mask(sums[tile], _mm512_set1_ps(floor), _CMP_GT_OQ);
    above |= here << tile * 16;
  }
  return above;
}

// Which keys of a group have scales that score_groups does not take: far apart, NaN, or so small or
// large that products might leave the range of floats. A bit each.
DSV4_BYTES inline uint32_t special_keys(const uint8_t* group) {
  const auto* planes = reinterpret_cast<const __m256i*>(group + kFp4Group * kWideDim / 2);
  __m256i low = _mm256_loadu_si256(planes);
  __m256i high = low;
  for (int b = 1; b < kBlocks; ++b) {
    const __m256i scales = _mm256_loadu_si256(planes + b);
    low = _mm256_min_epu8(low, scales);
    high = _mm256_max_epu8(high, scales);
  }
  const __m256i apart =
      _mm256_subs_epu8(_mm256_sub_epi8(high, low), _mm256_set1_epi8(kScaleSpread));
  const __m256i small = _mm256_subs_epu8(_mm256_set1_epi8(kLeast), low);
  const __m256i large = _mm256_subs_epu8(high, _mm256_set1_epi8(static_cast<char>(kMost)));
  const __m256i any = _mm256_or_si256(_mm256_or_si256(apart, small), large);
  return _mm256_test_epi8_mask(any, any);
}

}  // namespace

bool can_scan(Isa isa, int64_t dim, int64_t heads) {
  return isa >= Isa::kAvx512Bf16 && dim == kWideDim && heads <= kMostScanHeads;
}

namespace {

// The scan of one range.
class Scan {
 public:
  Scan(const Fp4Queries& queries, const PagedRows& keys, const KeyRange& range,
       OneByOne& one_by_one, Best& best)
      : queries_(queries), keys_(keys), range_(range), one_by_one_(one_by_one), best_(best) {}

  DSV4_BYTES void run() {
    if (!queries_.usable) return run_one_by_one();
    const int64_t step = range_.step;
    int64_t at = range_.begin;
    for (; at + step < range_.end; at += 2 * step) {
      score<2>(at, {{keys_.group(at), keys_.group(at + step)}});
    }
    if (at < range_.end) score<1>(at, {{keys_.group(at)}});
  }

 private:
  template <int G>
  DSV4_BYTES inline void score(int64_t at, const Groups<G>& groups) {
    alignas(64) float scores[G * kFp4Group];
    const uint64_t above = score_groups<G>(queries_, groups, best_.floor(), scores);
    for (int g = 0; g < G; ++g, at += range_.step) {
      const auto here = static_cast<uint32_t>(above >> g * kFp4Group);
      const uint32_t special = special_keys(groups.at[g]);
      if ((here | special) == 0) continue;
      offer(at, groups.at[g], special, scores + g * kFp4Group);
    }
  }

  void offer(int64_t at, const uint8_t* group, uint32_t special, float* scores) {
    const int64_t n = std::min(kFp4Group, range_.end - at);
    for (int64_t i = 0; i < n && special != 0; ++i) {
      if ((special >> i & 1) != 0) {
        const std::optional<float> alone = score_alone(queries_, group, kWideDim, i);
        scores[i] = alone ? *alone : one_by_one_.score(at + i);
      }
    }
    best_.offer(at, scores, n);
  }

  void run_one_by_one() {
    float scores[kFp4Group];
    for (int64_t at = range_.begin; at < range_.end; at += range_.step) {
      const int64_t n = std::min(kFp4Group, range_.end - at);
      for (int64_t i = 0; i < n; ++i) scores[i] = one_by_one_.score(at + i);
      best_.offer(at, scores, n);
    }
  }

  const Fp4Queries& queries_;
  const PagedRows& keys_;
  const KeyRange& range_;
  OneByOne& one_by_one_;
  Best& best_;
};

}  // namespace

void scan_keys(const Fp4Queries& queries, const PagedRows& keys, const KeyRange& range,
               OneByOne& one_by_one, Best& best) {
  Scan(queries, keys, range, one_by_one, best).run();
}

}  // namespace dsv4::kernels
#endif
