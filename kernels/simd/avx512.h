#pragma once

// Pieces that several kernels write for AVX-512 (F, BW, DQ and VL). Included by .cc files only;
// every function needs a caller compiled for the same target.

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstdint>

#define DSV4_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))

namespace dsv4::kernels::avx512 {

// The first n lanes of sixteen, all when n is more.
DSV4_AVX512 inline __mmask16 mask(int64_t n) {
  return static_cast<__mmask16>(n >= 16 ? 0xffff : (1 << n) - 1);
}

// e^x to about 1 ulp; 0 from e^-104 down. NaN stays NaN. As avx2::exp, but that the instructions
// have a product with a power of two.
DSV4_AVX512 inline __m512 exp(__m512 x) {
  // Operand order keeps a NaN in x.
  __m512 v = _mm512_max_ps(_mm512_set1_ps(-126.0F), _mm512_min_ps(_mm512_set1_ps(88.72283F), x));
  const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(v, _mm512_set1_ps(1.44269504F)),
                                        _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  v = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375F), v);
  v = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4F), v);
  __m512 p = _mm512_set1_ps(1.0F / 5040);
  p = _mm512_fmadd_ps(p, v, _mm512_set1_ps(1.0F / 720));
  p = _mm512_fmadd_ps(p, v, _mm512_set1_ps(1.0F / 120));
  p = _mm512_fmadd_ps(p, v, _mm512_set1_ps(1.0F / 24));
  p = _mm512_fmadd_ps(p, v, _mm512_set1_ps(1.0F / 6));
  p = _mm512_fmadd_ps(p, v, _mm512_set1_ps(0.5F));
  p = _mm512_fmadd_ps(p, v, _mm512_set1_ps(1.0F));
  p = _mm512_fmadd_ps(p, v, _mm512_set1_ps(1.0F));
  return _mm512_scalef_ps(p, n);
}

}  // namespace dsv4::kernels::avx512
#endif
