// AVX-512 BF16 arithmetic (see tile.h).

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
  static constexpr int kRegisters = 32;
  static constexpr float kE4m3Unit = Avx512::kE4m3Unit;
  template <WeightFormat F>
  static constexpr bool kReorders = Avx512::kReorders<F>;

  static Reg load(const void* from) {
    Reg reg;
    std::memcpy(&reg, from, sizeof reg);
    return reg;
  }
  static void store(uint16_t* to, Reg reg) { std::memcpy(to, &reg, sizeof reg); }
  static Acc zero() { return _mm512_setzero_ps(); }
  static Acc madd(Reg w, Reg x, Acc acc) { return _mm512_dpbf16_ps(acc, w, x); }
  static float sum(Acc acc) { return sum_of(acc); }
  static void sum4(Acc a, Acc b, Acc c, Acc d, float* out) { Avx512::sum4(a, b, c, d, out); }

  static void decode(FormatTag<WeightFormat::kBf16>, const uint8_t* bytes, uint8_t, Reg* out) {
    *out = load(bytes);
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

  template <WeightFormat F>
  static void reorder(FormatTag<F> format, float* x) {
    Avx512::reorder(format, x);
  }
  // Values that were rounded through e4m3 fit bf16, so cutting is converting; NaN stays one.
  static void convert(const float* x, int64_t n, uint16_t* to) {
    for (int64_t i = 0; i < n; ++i) to[i] = static_cast<uint16_t>(bits_of(x[i]) >> 16);
  }
};

// f32 weights do not fit: they stay with the AVX-512 table.
constexpr KernelTable avx512_bf16_table() {
  return {sizeof(uint16_t),
          {FormatKernels{}, format_kernels<Avx512Bf16, WeightFormat::kBf16>(),
           format_kernels<Avx512Bf16, WeightFormat::kFp8Block128>(),
           format_kernels<Avx512Bf16, WeightFormat::kFp4Block32>()}};
}

}  // namespace
}  // namespace dsv4::kernels
