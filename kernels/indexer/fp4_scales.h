#pragma once

// Scales of a group of FP4 keys, for the indexer's own files.

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstdint>

#include "kernels/indexer/fp4_keys.h"
#include "kernels/simd/avx2.h"

#define DSV4_BYTES \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi,avx2,fma")))

namespace dsv4::kernels {

inline constexpr int64_t kWideDim = 128;  // channels of a key that the AVX-512 files know

// Sets what belongs to one key of which the scales differ much, or are those of zeros.
void read_special_scales(const uint8_t* group, int64_t dim, int64_t key, Fp4Scales& out);

DSV4_AVX2 inline void read_scales(const uint8_t* group, int64_t dim, Fp4Scales& out) {
  const int64_t blocks = dim / kKeyBlock;
  const auto* planes = reinterpret_cast<const __m256i*>(group + dim / 2 * kFp4Group);
  __m256i low = _mm256_loadu_si256(planes);
  __m256i high = low;
  for (int64_t b = 1; b < blocks; ++b) {
    const __m256i scale = _mm256_loadu_si256(planes + b);
    low = _mm256_min_epu8(low, scale);
    high = _mm256_max_epu8(high, scale);
  }
  auto* up = reinterpret_cast<__m256i*>(out.up.data());
  for (int64_t b = 0; b < blocks; ++b) {
    _mm256_storeu_si256(up + b, _mm256_sub_epi8(_mm256_loadu_si256(planes + b), low));
  }
  // 2^(m - 128): the exponent of m - 1, which is a normal number's from 2 on.
  alignas(32) uint8_t lows[kFp4Group];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lows), low);
  for (int64_t i = 0; i < kFp4Group; i += 8) {
    const __m256i eight =
        _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(lows + i)));
    const __m256i exponent = _mm256_slli_epi32(_mm256_sub_epi32(eight, _mm256_set1_epi32(1)), 23);
    _mm256_storeu_ps(out.factor + i, _mm256_castsi256_ps(exponent));
  }
  const __m256i spread = _mm256_sub_epi8(high, low);
  const __m256i apart =
      _mm256_cmpeq_epi8(_mm256_max_epu8(spread, _mm256_set1_epi8(kScaleSpread + 1)), spread);
  const __m256i tiny = _mm256_cmpeq_epi8(_mm256_min_epu8(low, _mm256_set1_epi8(1)), low);
  const __m256i fault = _mm256_cmpeq_epi8(high, _mm256_set1_epi8(-1));
  auto special = static_cast<uint32_t>(
      _mm256_movemask_epi8(_mm256_or_si256(_mm256_or_si256(apart, tiny), fault)));
  out.wide = 0;
  for (; special != 0; special &= special - 1) {
    read_special_scales(group, dim, __builtin_ctz(special), out);
  }
}

}  // namespace dsv4::kernels
#endif
