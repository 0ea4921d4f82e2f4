// Compiled for AVX2 and FMA; called only where the processor has them.
#include "kernels/attention/some_rows.h"

#if defined(__AVX2__) && defined(__FMA__)
#include "kernels/attention/some_rows_tile.h"
#include "kernels/simd/avx2.h"

namespace dsv4::kernels {
namespace {

struct Avx2 {
  using Reg = __m256;
  static constexpr int kWidth = 8;
  static constexpr int kRows = 2;

  static Reg load(const float* from) { return _mm256_loadu_ps(from); }
  static void store(float* to, Reg x) { _mm256_storeu_ps(to, x); }
  static Reg set(float x) { return _mm256_set1_ps(x); }
  static Reg zero() { return _mm256_setzero_ps(); }
  static Reg add(Reg x, Reg y) { return _mm256_add_ps(x, y); }
  static Reg sub(Reg x, Reg y) { return _mm256_sub_ps(x, y); }
  static Reg mul(Reg x, Reg y) { return _mm256_mul_ps(x, y); }
  static Reg madd(Reg x, Reg y, Reg z) { return _mm256_fmadd_ps(x, y, z); }
  static Reg larger(Reg x, Reg y) { return _mm256_max_ps(x, y); }
  static Reg exp(Reg x) { return avx2::exp(x); }
  static float first(Reg x) { return _mm256_cvtss_f32(x); }
  static float sum(Reg x) { return avx2::sum(x); }
  static float largest(Reg x) { return avx2::max(x); }

  static Reg sums(const Reg* r) {
    const Reg a = _mm256_hadd_ps(_mm256_hadd_ps(r[0], r[1]), _mm256_hadd_ps(r[2], r[3]));
    const Reg b = _mm256_hadd_ps(_mm256_hadd_ps(r[4], r[5]), _mm256_hadd_ps(r[6], r[7]));
    return _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
  }
};

}  // namespace

const SomeRowsKernel* some_rows_avx2() {
  static constexpr SomeRowsKernel kKernel{Avx2::kWidth, SomeRowsOf<Avx2>::add};
  return &kKernel;
}

}  // namespace dsv4::kernels

#else

namespace dsv4::kernels {
const SomeRowsKernel* some_rows_avx2() { return nullptr; }
}  // namespace dsv4::kernels

#endif
