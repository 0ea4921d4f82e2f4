// Compiled for AVX-512 with BF16; called only where the processor has it.
#include "kernels/matmul/row_kernel.h"

#if defined(__AVX512BF16__) && defined(__AVX512BW__)
#include "kernels/matmul/avx512.h"

namespace dsv4::kernels {
namespace {

// Pairs of bf16 products summed in f32, twice the arithmetic per instruction. Weights and
// FP8-rounded activations are bf16 numbers, scales included, so the products stay exact. (The 8-bit
// integer instructions of VNNI do not fit: e4m3 spans 18 bits as an integer.)
struct Avx512Bf16 {
  using Element = uint16_t;
  using Reg = __m512bh;
  using Acc = __m512;
  static constexpr int kWidth = 32;

  static Reg load(const uint16_t* from) { return reinterpret_cast<Reg>(_mm512_loadu_si512(from)); }
  static void store(uint16_t* to, Reg reg) {
    _mm512_storeu_si512(to, reinterpret_cast<__m512i>(reg));
  }
  static Acc zero() { return _mm512_setzero_ps(); }
  static Acc madd(Reg w, Reg x, Acc acc) { return _mm512_dpbf16_ps(acc, w, x); }
  static float sum(Acc acc) { return _mm512_reduce_add_ps(acc); }

  static void decode(FormatTag<WeightFormat::kBf16>, const uint8_t* bytes, uint8_t, Reg* out) {
    *out = reinterpret_cast<Reg>(_mm512_loadu_si512(bytes));
  }
  template <WeightFormat F>
  static void decode(FormatTag<F> format, const uint8_t* bytes, uint8_t scale, Reg* out) {
    __m512 halves[2];
    Avx512::decode(format, bytes, scale, halves);
    *out = _mm512_cvtne2ps_pbh(halves[1], halves[0]);
  }
  static bool has_nan_code(const uint8_t* bytes, int64_t n) {
    return Avx512::has_nan_code(bytes, n);
  }
};

}  // namespace

const KernelTable* avx512_bf16_kernels() {
  static constexpr KernelTable kTable = {ActivationType::kBf16,
                                         {nullptr, multiply_rows<Avx512Bf16, WeightFormat::kBf16>,
                                          multiply_rows<Avx512Bf16, WeightFormat::kFp8Block128>,
                                          multiply_rows<Avx512Bf16, WeightFormat::kFp4Block32>},
                                         kFp4Order};
  return &kTable;
}

}  // namespace dsv4::kernels

#else

namespace dsv4::kernels {
const KernelTable* avx512_bf16_kernels() { return nullptr; }
}  // namespace dsv4::kernels

#endif
