#include "kernels/indexer/fp4_scan.h"

#if defined(__x86_64__)
#include <algorithm>
#include <cstring>

#include "kernels/indexer/fp4_scales.h"

namespace dsv4::kernels {
namespace {

constexpr int kUp = 12;  // what makes doubled e2m1 values unsigned
constexpr int kTiles = kFp4Group / 16;
constexpr int kBlocks = kWideDim / kKeyBlock;
constexpr int kWords = 4;      // of eight channels, in a block
constexpr int64_t kAhead = 4;  // groups that are asked for before they are needed

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

// Adds the dot products of the group's keys with H heads' queries by one block.
template <int H>
DSV4_BYTES inline void add_block(const int8_t* query, const int32_t* sums, const uint8_t* codes,
                                 const uint8_t* up, __m512i (&totals)[H][kTiles]) {
  const __m512i table = _mm512_load_si512(kDoubled.values);
  __m512i even_sums[H][kTiles];
  __m512i odd_sums[H][kTiles];
#pragma GCC unroll 2
  for (int h = 0; h < H; ++h) {
    const __m512i start = _mm512_set1_epi32(-kUp * sums[h * kBlocks]);
    even_sums[h][0] = even_sums[h][1] = start;
    odd_sums[h][0] = odd_sums[h][1] = _mm512_setzero_si512();
  }
#pragma GCC unroll 4
  for (int w = 0; w < kWords; ++w) {
    __m512i even[kTiles];
    __m512i odd[kTiles];
#pragma GCC unroll 2
    for (int tile = 0; tile < kTiles; ++tile) {
      __m512i keys = _mm512_loadu_si512(codes + (w * kTiles + tile) * 64);
      asm("" : "+v"(keys));
      even[tile] = _mm512_permutexvar_epi8(keys, table);
      odd[tile] = _mm512_permutexvar_epi8(_mm512_srli_epi16(keys, 4), table);
    }
#pragma GCC unroll 2
    for (int h = 0; h < H; ++h) {
      const __m512i q_even = four_bytes(query + h * kWideDim + 4 * w);
      const __m512i q_odd = four_bytes(query + h * kWideDim + kKeyBlock / 2 + 4 * w);
#pragma GCC unroll 2
      for (int tile = 0; tile < kTiles; ++tile) {
        even_sums[h][tile] = _mm512_dpbusd_epi32(even_sums[h][tile], even[tile], q_even);
        odd_sums[h][tile] = _mm512_dpbusd_epi32(odd_sums[h][tile], odd[tile], q_odd);
      }
    }
  }
#pragma GCC unroll 2
  for (int tile = 0; tile < kTiles; ++tile) {
    const __m512i shift =
        _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(up + tile * 16)));
#pragma GCC unroll 2
    for (int h = 0; h < H; ++h) {
      const __m512i dot = _mm512_add_epi32(even_sums[h][tile], odd_sums[h][tile]);
      totals[h][tile] = _mm512_add_epi32(totals[h][tile], _mm512_sllv_epi32(dot, shift));
    }
  }
}

// Adds the scores of H heads, without the keys' factors.
template <int H>
DSV4_BYTES inline void add_heads(const int8_t* query, const int32_t* sums, const float* factor,
                                 const uint8_t* group, const uint8_t* up,
                                 __m512 (&scores)[kTiles]) {
  __m512i totals[H][kTiles];
  for (int h = 0; h < H; ++h) totals[h][0] = totals[h][1] = _mm512_setzero_si512();
  for (int b = 0; b < kBlocks; ++b) {
    add_block<H>(query + b * kKeyBlock, sums + b, group + b * kWords * kTiles * 64,
                 up + b * kFp4Group, totals);
  }
  for (int h = 0; h < H; ++h) {
    for (int tile = 0; tile < kTiles; ++tile) {
      const __m512i positive = _mm512_max_epi32(totals[h][tile], _mm512_setzero_si512());
      scores[tile] =
          _mm512_fmadd_ps(_mm512_cvtepi32_ps(positive), _mm512_set1_ps(factor[h]), scores[tile]);
    }
  }
}

// scores [kFp4Group]. Returns which are above the floor, a bit each.
DSV4_BYTES inline uint32_t score_group(const Fp4Queries& queries, const uint8_t* group,
                                       const Fp4Scales& scales, float floor, float* scores) {
  const auto heads = static_cast<int64_t>(queries.factor.size());
  const int8_t* query = queries.bytes.data();
  const int32_t* sums = queries.sums.data();
  const float* factor = queries.factor.data();
  __m512 totals[kTiles] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
  int64_t h = 0;
  for (; h + 2 <= heads; h += 2) {
    add_heads<2>(query + h * kWideDim, sums + h * kBlocks, factor + h, group, scales.up.data(),
                 totals);
  }
  if (h < heads) {
    add_heads<1>(query + h * kWideDim, sums + h * kBlocks, factor + h, group, scales.up.data(),
                 totals);
  }
  uint32_t above = 0;
  for (int tile = 0; tile < kTiles; ++tile) {
    const __m512 score = _mm512_mul_ps(totals[tile], _mm512_loadu_ps(scales.factor + tile * 16));
    _mm512_storeu_ps(scores + tile * 16, score);
    const uint32_t here = _mm512_cmp_ps_mask(score, _mm512_set1_ps(floor), _CMP_GT_OQ);
    above |= here << tile * 16;
  }
  return above;
}

// Pages lie apart, and the processor itself looks ahead within a page only.
inline void prefetch_group(const uint8_t* group) {
  constexpr int64_t kLine = 64;
  constexpr int64_t kBytes = kFp4Group * (kWideDim / 2 + kBlocks);
  for (int64_t at = 0; at < kBytes; at += kLine) __builtin_prefetch(group + at, 0, 3);
}

}  // namespace

bool can_scan(Isa isa, int64_t dim, int64_t heads) {
  return isa >= Isa::kAvx512Bf16 && dim == kWideDim && heads <= kMostScanHeads;
}

DSV4_BYTES void scan_keys(const Fp4Queries& queries, const PagedRows& keys, const KeyRange& range,
                          OneByOne& one_by_one, Best& best) {
  Fp4Scales scales(kWideDim);
  float scores[kFp4Group];
  for (int64_t at = range.begin; at < range.end; at += range.step) {
    const uint8_t* group = keys.group(at);
    if (const int64_t ahead = at + kAhead * range.step; ahead < range.end) {
      prefetch_group(keys.group(ahead));
    }
    read_scales(group, kWideDim, scales);
    const uint32_t above = score_group(queries, group, scales, best.floor(), scores);
    const uint32_t others = queries.usable ? scales.wide : ~uint32_t{0};
    if ((above | others) == 0) continue;
    const int64_t n = std::min(kFp4Group, range.end - at);
    for (int64_t i = 0; i < n && others != 0; ++i) {
      if ((others >> i & 1) != 0) scores[i] = one_by_one.score(at + i);
    }
    best.offer(at, scores, n);
  }
}

}  // namespace dsv4::kernels
#endif
