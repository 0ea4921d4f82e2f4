#include "kernels/indexer/fp4_columns.h"

#if defined(__x86_64__)
#include <algorithm>
#include <cstring>

#include "kernels/indexer/fp4_scales.h"

namespace dsv4::kernels {
namespace {

constexpr int kLanes = 16;  // keys in a register
constexpr int kTiles = kFp4Group / kLanes;
constexpr int kColumns = kWideDim / 8;
constexpr int kBlocks = kWideDim / kKeyBlock;
constexpr int kShift = 48;

// Twice the e2m1 values times 2^0, 2^1 and 2^2, shifted up.
struct Shifted {
  alignas(64) uint8_t values[64];
};
constexpr Shifted make_shifted() {
  constexpr int kMagnitudes[8] = {0, 1, 2, 3, 4, 6, 8, 12};
  Shifted table{};
  for (int i = 0; i < 16 * (kScaleSpread + 1); ++i) {
    const int value = kMagnitudes[i & 7] << i / 16;
    table.values[i] = static_cast<uint8_t>((i & 8) != 0 ? kShift - value : kShift + value);
  }
  return table;
}
constexpr Shifted kShifted = make_shifted();

// Adds H heads' scores of all keys, in the order of the heads. Few heads get two chains of sums
// each, so that enough are under way.
template <int H>
DSV4_BYTES inline void add_heads(const int8_t* query, const int32_t* sums_of_blocks,
                                 const float* factor, const uint8_t* columns, __m512* totals) {
  constexpr int kChains = H <= 2 ? 2 : 1;
  __m512i sums[H][kTiles][kChains];
  for (int h = 0; h < H; ++h) {
    const int32_t* by_block = sums_of_blocks + h * kBlocks;
    const int32_t start = -kShift * (by_block[0] + by_block[1] + by_block[2] + by_block[3]);
    for (int tile = 0; tile < kTiles; ++tile) {
      sums[h][tile][0] = _mm512_set1_epi32(start);
      if (kChains == 2) sums[h][tile][kChains - 1] = _mm512_setzero_si512();
    }
  }
  for (int c = 0; c < kColumns; ++c) {
    for (int odd = 0; odd < 2; ++odd) {
      __m512i keys[kTiles];
      for (int tile = 0; tile < kTiles; ++tile) {
        keys[tile] = _mm512_loadu_si512(columns + ((2 * c + odd) * kTiles + tile) * 64);
      }
      for (int h = 0; h < H; ++h) {
        int32_t four = 0;
        std::memcpy(&four, query + h * kWideDim + c / 4 * 32 + odd * 16 + c % 4 * 4, 4);
        const __m512i q = _mm512_set1_epi32(four);
        for (int tile = 0; tile < kTiles; ++tile) {
          __m512i& sum = sums[h][tile][kChains == 2 ? odd : 0];
          sum = _mm512_dpbusd_epi32(sum, keys[tile], q);
        }
      }
    }
  }
  for (int h = 0; h < H; ++h) {
    const __m512 f = _mm512_set1_ps(factor[h]);
    for (int tile = 0; tile < kTiles; ++tile) {
      __m512i sum = sums[h][tile][0];
      if (kChains == 2) sum = _mm512_add_epi32(sum, sums[h][tile][kChains - 1]);
      const __m512 positive = _mm512_cvtepi32_ps(_mm512_max_epi32(sum, _mm512_setzero_si512()));
      totals[tile] = _mm512_fmadd_ps(positive, f, totals[tile]);
    }
  }
}

}  // namespace

DSV4_BYTES void unpack_columns(const uint8_t* group, const Fp4Scales& scales, uint8_t* columns) {
  const __m512i table = _mm512_load_si512(kShifted.values);
  const __m512i nibble = _mm512_set1_epi8(15);
  for (int block = 0; block < kBlocks; ++block) {
    for (int tile = 0; tile < kTiles; ++tile) {
      // In the upper half of each byte of a key's lane.
      const auto* up = scales.up.data() + block * kFp4Group + tile * kLanes;
      const __m512i lanes =
          _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(up)));
      const __m512i upper =
          _mm512_mullo_epi32(_mm512_slli_epi32(lanes, 4), _mm512_set1_epi32(0x01010101));
      for (int c = 4 * block; c < 4 * block + 4; ++c) {
        constexpr int kAndOr = 0xea;  // (a & b) | c
        const int at = (c * kTiles + tile) * 64;
        const __m512i codes = _mm512_loadu_si512(group + at);
        const __m512i even = _mm512_ternarylogic_epi32(codes, nibble, upper, kAndOr);
        const __m512i odd =
            _mm512_ternarylogic_epi32(_mm512_srli_epi16(codes, 4), nibble, upper, kAndOr);
        uint8_t* to = columns + (2 * c * kTiles + tile) * 64;
        _mm512_storeu_si512(to, _mm512_permutexvar_epi8(even, table));
        _mm512_storeu_si512(to + int64_t{kTiles} * 64, _mm512_permutexvar_epi8(odd, table));
      }
    }
  }
}

DSV4_BYTES void score_columns(const Fp4Queries& queries, const uint8_t* columns,
                              const Fp4Scales& scales, float* scores) {
  const auto heads = static_cast<int64_t>(queries.factor.size());
  const int8_t* query = queries.bytes.data();
  const int32_t* sums = queries.sums.data();
  const float* factor = queries.factor.data();
  __m512 totals[kTiles];
  for (__m512& total : totals) total = _mm512_setzero_ps();
  int64_t h = 0;
  for (; h + 4 <= heads; h += 4) {
    add_heads<4>(query + h * kWideDim, sums + h * kBlocks, factor + h, columns, totals);
  }
  for (; h + 2 <= heads; h += 2) {
    add_heads<2>(query + h * kWideDim, sums + h * kBlocks, factor + h, columns, totals);
  }
  for (; h < heads; ++h) {
    add_heads<1>(query + h * kWideDim, sums + h * kBlocks, factor + h, columns, totals);
  }
  for (int tile = 0; tile < kTiles; ++tile) {
    _mm512_storeu_ps(scores + tile * kLanes,
                     _mm512_mul_ps(totals[tile], _mm512_loadu_ps(scales.factor + tile * kLanes)));
  }
}

}  // namespace dsv4::kernels
#endif
