#pragma once

// Pieces that several kernels write for AVX2. Included by .cc files only; every function needs a
// caller compiled for the same target.

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstdint>

#define DSV4_AVX2 __attribute__((target("avx2,fma")))

namespace dsv4::kernels::avx2 {

DSV4_AVX2 inline float sum(__m256 v) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  s = _mm_add_ss(s, _mm_shuffle_ps(s, s, 1));
  return _mm_cvtss_f32(s);
}

DSV4_AVX2 inline float max(__m256 v) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  s = _mm_max_ss(s, _mm_shuffle_ps(s, s, 1));
  return _mm_cvtss_f32(s);
}

// The first n (0..8) lanes on.
DSV4_AVX2 inline __m256i mask(int64_t n) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lane);
}

// e^x to about 1 ulp where the result is a normal number; 0 below. NaN stays NaN. x is split into
// n ln 2 + r with |r| <= ln 2 / 2 (Cody and Waite), and e^r is its Taylor polynomial.
DSV4_AVX2 inline __m256 exp(__m256 x) {
  const __m256 low = _mm256_set1_ps(-87.33654F);
  const __m256 under = _mm256_cmp_ps(x, low, _CMP_LT_OQ);
  // Operand order keeps a NaN in x.
  __m256 v = _mm256_max_ps(low, _mm256_min_ps(_mm256_set1_ps(88.72283F), x));
  const __m256 n = _mm256_round_ps(_mm256_mul_ps(v, _mm256_set1_ps(1.44269504F)),
                                   _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  v = _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693359375F), v);
  v = _mm256_fnmadd_ps(n, _mm256_set1_ps(-2.12194440e-4F), v);
  __m256 p = _mm256_set1_ps(1.0F / 5040);
  p = _mm256_fmadd_ps(p, v, _mm256_set1_ps(1.0F / 720));
  p = _mm256_fmadd_ps(p, v, _mm256_set1_ps(1.0F / 120));
  p = _mm256_fmadd_ps(p, v, _mm256_set1_ps(1.0F / 24));
  p = _mm256_fmadd_ps(p, v, _mm256_set1_ps(1.0F / 6));
  p = _mm256_fmadd_ps(p, v, _mm256_set1_ps(0.5F));
  p = _mm256_fmadd_ps(p, v, _mm256_set1_ps(1.0F));
  p = _mm256_fmadd_ps(p, v, _mm256_set1_ps(1.0F));
  // Two factors, because 2^128 is no float though e^88.7 is.
  const __m256i k = _mm256_cvtps_epi32(n);
  const __m256i half = _mm256_srai_epi32(k, 1);
  const __m256i rest = _mm256_sub_epi32(k, half);
  const __m256i bias = _mm256_set1_epi32(127);
  const __m256 a = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23));
  const __m256 b = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23));
  return _mm256_andnot_ps(under, _mm256_mul_ps(_mm256_mul_ps(p, a), b));
}

}  // namespace dsv4::kernels::avx2
#endif
