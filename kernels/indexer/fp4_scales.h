#pragma once

// Scales of FP4 keys beside each other, for the indexer's AVX-512 files (fp4_columns.cc,
// fp4_rows.cc).

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "kernels/indexer/fp4_keys.h"
#include "kernels/matmul/scale_table.h"

#define DSV4_BYTES \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi,avx2,fma")))

namespace dsv4::kernels {

inline constexpr int64_t kWideDim = 128;  // channels of a key: four blocks
inline constexpr int kKeyLanes = 16;      // keys in a register
inline constexpr int kScaleSpread = 2;    // scales of a row may differ by this power of two

inline constexpr int64_t kWideCodes = kWideDim / 2;                // bytes of codes
inline constexpr int64_t kWideBytes = kWideCodes + kWideDim / 32;  // of a row: scales follow

// How far each block's scale is above the smallest of its key, 0 to kScaleSpread: a byte each, the
// four of a key in a lane. Of kKeyLanes rows; `scale` [kKeyLanes] becomes 2^m / 2, m the smallest,
// or 0 where they lie too far apart: then any_wide becomes true.
DSV4_BYTES inline __m512i above_lowest(const uint8_t* rows, float* scale, bool& any_wide) {
  alignas(64) uint32_t stored[kKeyLanes];
  for (int i = 0; i < kKeyLanes; ++i)
    std::memcpy(&stored[i], rows + i * kWideBytes + kWideCodes, 4);
  const __m512i scales = _mm512_load_si512(stored);
  const __m512i byte = _mm512_set1_epi32(255);
  const __m512i s[4] = {
      _mm512_and_si512(scales, byte), _mm512_and_si512(_mm512_srli_epi32(scales, 8), byte),
      _mm512_and_si512(_mm512_srli_epi32(scales, 16), byte), _mm512_srli_epi32(scales, 24)};
  __m512i low = _mm512_min_epu32(_mm512_min_epu32(s[0], s[1]), _mm512_min_epu32(s[2], s[3]));
  const __m512i high = _mm512_max_epu32(_mm512_max_epu32(s[0], s[1]), _mm512_max_epu32(s[2], s[3]));
  // 2^(m - 128): the exponent of m - 1, which is a normal number's from 2 on.
  const __m512i exponent = _mm512_slli_epi32(_mm512_sub_epi32(low, _mm512_set1_epi32(1)), 23);
  _mm512_storeu_si512(scale, exponent);
  const __mmask16 special =
      _mm512_cmplt_epu32_mask(low, _mm512_set1_epi32(2)) | _mm512_cmpeq_epu32_mask(high, byte) |
      _mm512_cmpgt_epu32_mask(_mm512_sub_epi32(high, low), _mm512_set1_epi32(kScaleSpread));
  if (special != 0) {
    // Blocks of zeros have the smallest scale there is: looked at one by one.
    alignas(64) int32_t lows[kKeyLanes];
    _mm512_store_si512(lows, low);
    for (int i = 0; i < kKeyLanes; ++i) {
      if ((special >> i & 1) == 0) continue;
      const int common = common_scale(rows + i * kWideBytes, kWideDim);
      any_wide |= common < 0;
      lows[i] = std::max(common, 0);
      scale[i] = common < 0 ? 0.0F : 0.5F * kE8m0Values[static_cast<size_t>(common)];
    }
    low = _mm512_load_si512(lows);
  }
  const __m512i every_byte = _mm512_set1_epi32(0x01010101);
  return _mm512_min_epu8(_mm512_subs_epu8(scales, _mm512_mullo_epi32(low, every_byte)),
                         _mm512_set1_epi8(kScaleSpread));
}

}  // namespace dsv4::kernels
#endif
