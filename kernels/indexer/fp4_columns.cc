#include "kernels/indexer/fp4_columns.h"

#if defined(__x86_64__)
#include <algorithm>
#include <cstring>

#include "kernels/indexer/fp4_scales.h"

namespace dsv4::kernels {
namespace {

constexpr int kLanes = kKeyLanes;
constexpr int kTiles = kColumnsRows / kLanes;
constexpr int kColumns = kWideDim / 8;

// Twice the e2m1 values times 2^0, 2^1 and 2^2, shifted up by 48.
struct Shifted {
  alignas(64) uint8_t values[64];
};
constexpr Shifted make_shifted() {
  constexpr int kMagnitudes[8] = {0, 1, 2, 3, 4, 6, 8, 12};
  Shifted table{};
  for (int i = 0; i < 16 * (kScaleSpread + 1); ++i) {
    const int value = kMagnitudes[i & 7] << i / 16;
    table.values[i] = static_cast<uint8_t>((i & 8) != 0 ? 48 - value : 48 + value);
  }
  return table;
}
constexpr Shifted kShifted = make_shifted();

// Sixteen rows of sixteen 32-bit numbers, turned into columns.
DSV4_BYTES inline void transpose(__m512i* r) {
  __m512i t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  for (int half = 0; half < 16; half += 8) {
    for (int i = half; i < half + 4; ++i) {
      t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
      t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
    }
  }
  for (int i = 0; i < 8; ++i) {
    r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
  }
}

// Sixteen keys of a tile.
DSV4_BYTES bool unpack_sixteen(const uint8_t* rows, uint8_t* columns, float* scale) {
  __m512i codes[kLanes];
  for (int i = 0; i < kLanes; ++i) codes[i] = _mm512_loadu_si512(rows + i * kWideBytes);
  transpose(codes);
  bool any_wide = false;
  // In the upper half of each byte.
  const __m512i upper = _mm512_slli_epi16(above_lowest(rows, scale, any_wide), 4);
  const __m512i table = _mm512_load_si512(kShifted.values);
  const __m512i nibble = _mm512_set1_epi8(15);
  for (int block = 0; block < 4; ++block) {
    const __m512i own = _mm512_add_epi8(_mm512_set4_epi32(0x0c0c0c0c, 0x08080808, 0x04040404, 0),
                                        _mm512_set1_epi8(static_cast<char>(block)));
    const __m512i up = _mm512_shuffle_epi8(upper, own);
    for (int c = 4 * block; c < 4 * block + 4; ++c) {
      constexpr int kAndOr = 0xea;  // (a & b) | c
      const __m512i even = _mm512_ternarylogic_epi32(codes[c], nibble, up, kAndOr);
      const __m512i odd =
          _mm512_ternarylogic_epi32(_mm512_srli_epi16(codes[c], 4), nibble, up, kAndOr);
      uint8_t* to = columns + int64_t{c} * 2 * kTiles * 64;
      _mm512_storeu_si512(to, _mm512_permutexvar_epi8(even, table));
      _mm512_storeu_si512(to + int64_t{kTiles} * 64, _mm512_permutexvar_epi8(odd, table));
    }
  }
  return any_wide;
}

// Adds H heads' scores of all keys, in the order of the heads. Few heads get two chains of sums
// each, so that enough are under way.
template <int H>
DSV4_BYTES inline void add_heads(const int8_t* query, const int32_t* offset, const float* factor,
                                 const uint8_t* columns, __m512* totals) {
  constexpr int kChains = H <= 2 ? 2 : 1;
  __m512i sums[H][kTiles][kChains];
  for (int h = 0; h < H; ++h) {
    for (int tile = 0; tile < kTiles; ++tile) {
      sums[h][tile][0] = _mm512_set1_epi32(-offset[h]);
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

bool unpack_columns(const uint8_t* rows, uint8_t* columns, float* scale) {
  bool any_wide = false;
  for (int64_t tile = 0; tile < kTiles; ++tile) {
    const int64_t first = tile * kLanes;
    any_wide |= unpack_sixteen(rows + first * kWideBytes, columns + tile * 64, scale + first);
  }
  return any_wide;
}

DSV4_BYTES void score_columns(const Fp4Queries& queries, const uint8_t* columns, const float* scale,
                              float* scores) {
  const auto heads = static_cast<int64_t>(queries.factor.size());
  const int8_t* query = queries.bytes.data();
  const int32_t* offset = queries.offset.data();
  const float* factor = queries.factor.data();
  __m512 totals[kTiles];
  for (__m512& total : totals) total = _mm512_setzero_ps();
  int64_t h = 0;
  for (; h + 4 <= heads; h += 4) {
    add_heads<4>(query + h * kWideDim, offset + h, factor + h, columns, totals);
  }
  for (; h + 2 <= heads; h += 2) {
    add_heads<2>(query + h * kWideDim, offset + h, factor + h, columns, totals);
  }
  for (; h < heads; ++h) {
    add_heads<1>(query + h * kWideDim, offset + h, factor + h, columns, totals);
  }
  for (int tile = 0; tile < kTiles; ++tile) {
    _mm512_storeu_ps(scores + tile * kLanes,
                     _mm512_mul_ps(totals[tile], _mm512_loadu_ps(scale + tile * kLanes)));
  }
}

}  // namespace dsv4::kernels
#endif
