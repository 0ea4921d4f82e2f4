#pragma once

// The sum of a register's lanes, one register or four: to the bit the same. Included only by files
// that are compiled for AVX-512 F and DQ, each of which gets its own copy. Tests include it on
// emulated registers, so it brings no intrinsics along.

namespace dsv4::kernels {
namespace {

// Within each quarter (0 + 2) + (1 + 3), then the first two quarters and the last two.
inline float sum_of(__m512 v) {
  const __m512 pairs = _mm512_add_ps(v, _mm512_permute_ps(v, 0x4e));
  const __m512 quarters = _mm512_add_ps(pairs, _mm512_permute_ps(pairs, 0xb1));
  const __m512 halves = _mm512_add_ps(quarters, _mm512_shuffle_f32x4(quarters, quarters, 0xb1));
  return _mm512_cvtss_f32(_mm512_add_ps(halves, _mm512_shuffle_f32x4(halves, halves, 0x4e)));
}

// In the first four lanes. Takes a third of the time of four single ones.
inline __m512 sums_of_four(__m512 a, __m512 b, __m512 c, __m512 d) {
  const __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
  const __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
  const __m512d even = _mm512_unpacklo_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd));
  const __m512d odd = _mm512_unpackhi_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd));
  const __m512 quarters = _mm512_add_ps(_mm512_castpd_ps(even), _mm512_castpd_ps(odd));
  const __m512 halves = _mm512_add_ps(quarters, _mm512_shuffle_f32x4(quarters, quarters, 0xb1));
  return _mm512_add_ps(halves, _mm512_shuffle_f32x4(halves, halves, 0x4e));
}

}  // namespace
}  // namespace dsv4::kernels
