// Compiled for AVX-512 F, BW, DQ and VL; called only where the processor has them.
#include "kernels/attention/some_rows.h"

#if defined(__AVX512F__) && defined(__AVX512DQ__)
#include "kernels/attention/some_rows_tile.h"
#include "kernels/simd/avx512.h"

namespace dsv4::kernels {
namespace {

struct Avx512 {
  using Reg = __m512;
  static constexpr int kWidth = 16;
  static constexpr int kRows = 4;

  static Reg load(const float* from) { return _mm512_loadu_ps(from); }
  static void store(float* to, Reg x) { _mm512_storeu_ps(to, x); }
  static Reg set(float x) { return _mm512_set1_ps(x); }
  static Reg zero() { return _mm512_setzero_ps(); }
  static Reg add(Reg x, Reg y) { return _mm512_add_ps(x, y); }
  static Reg sub(Reg x, Reg y) { return _mm512_sub_ps(x, y); }
  static Reg mul(Reg x, Reg y) { return _mm512_mul_ps(x, y); }
  static Reg madd(Reg x, Reg y, Reg z) { return _mm512_fmadd_ps(x, y, z); }
  static Reg larger(Reg x, Reg y) { return _mm512_max_ps(x, y); }
  static Reg exp(Reg x) { return avx512::exp(x); }
  static float first(Reg x) { return _mm512_cvtss_f32(x); }
  static float sum(Reg x) { return _mm512_reduce_add_ps(x); }
  static float largest(Reg x) { return _mm512_reduce_max_ps(x); }

  // Each step adds two registers' halves side by side, so that half as many are left.
  static Reg sums(const Reg* r) {
    Reg eight[8];
    for (int i = 0; i < 8; ++i) {
      const Reg x = r[2 * i];
      const Reg y = r[2 * i + 1];
      eight[i] = add(_mm512_unpacklo_ps(x, y), _mm512_unpackhi_ps(x, y));
    }
    Reg four[4];  // lane 4 k + i of register j: a quarter of the sum of register 4 j + i
    for (int i = 0; i < 4; ++i) {
      const __m512d x = _mm512_castps_pd(eight[2 * i]);
      const __m512d y = _mm512_castps_pd(eight[2 * i + 1]);
      four[i] = add(_mm512_castpd_ps(_mm512_unpacklo_pd(x, y)),
                    _mm512_castpd_ps(_mm512_unpackhi_pd(x, y)));
    }
    const Reg a = add(_mm512_shuffle_f32x4(four[0], four[1], 0x88),
                      _mm512_shuffle_f32x4(four[0], four[1], 0xdd));
    const Reg b = add(_mm512_shuffle_f32x4(four[2], four[3], 0x88),
                      _mm512_shuffle_f32x4(four[2], four[3], 0xdd));
    return add(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
  }
};

}  // namespace

const SomeRowsKernel* some_rows_avx512() {
  static constexpr SomeRowsKernel kKernel{Avx512::kWidth, SomeRowsOf<Avx512>::add};
  return &kKernel;
}

}  // namespace dsv4::kernels

#else

namespace dsv4::kernels {
const SomeRowsKernel* some_rows_avx512() { return nullptr; }
}  // namespace dsv4::kernels

#endif
