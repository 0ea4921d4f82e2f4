// AVX-512 decoding and arithmetic, shared by the files compiled for it (see tile.h).

#include <immintrin.h>

#include "kernels/matmul/tile.h"
#include "kernels/simd/avx512_sums.h"

namespace dsv4::kernels {
namespace {

struct Avx512 {
  using Element = float;
  using Reg = __m512;
  using Acc = __m512;
  static constexpr int kWidth = 16;
  static constexpr int kSums = 24;
  static constexpr int kTileTokens = 6;
  static constexpr float kE4m3Unit = 256.0f;
  template <WeightFormat F>
  static constexpr bool kReorders = F == WeightFormat::kFp4Block32;
  static constexpr bool kShowsNan = false;

  static Reg load(const float* from) { return _mm512_loadu_ps(from); }
  static void store(float* to, Reg reg) { _mm512_storeu_ps(to, reg); }
  static Acc zero() { return _mm512_setzero_ps(); }
  static Acc madd(Reg w, Reg x, Acc acc) { return _mm512_fmadd_ps(w, x, acc); }
  static float sum(Acc acc) { return sum_of(acc); }
  static void sum4(Acc a, Acc b, Acc c, Acc d, float* out) {
    _mm_storeu_ps(out, _mm512_castps512_ps128(sums_of_four(a, b, c, d)));
  }

  template <WeightFormat F>
  static uint8_t scaling(FormatTag<F>, uint8_t) {
    return 0;
  }
  static __m512 scaling(FormatTag<WeightFormat::kFp8Block128>, uint8_t scale) {
    return _mm512_set1_ps(kE8m0Values[scale]);
  }
  static __m512 scaling(FormatTag<WeightFormat::kFp4Block32>, uint8_t scale) {
    return _mm512_mul_ps(_mm512_loadu_ps(kE2m1Values.data()), _mm512_set1_ps(kE8m0Values[scale]));
  }

  static void decode(FormatTag<WeightFormat::kF32>, const uint8_t* bytes, uint8_t, Reg* out) {
    for (int i = 0; i < 2; ++i) out[i] = _mm512_loadu_ps(bytes + 64 * i);
  }

  static void decode(FormatTag<WeightFormat::kBf16>, const uint8_t* bytes, uint8_t, Reg* out) {
    for (int i = 0; i < 2; ++i) {
      const __m256i upper = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + 32 * i));
      out[i] = _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(upper), 16));
    }
  }

  // A sign-extended code shifted by 7 has its sign, exponent and mantissa where a half float has
  // them, but for one copy of the sign in the way: that half float is value / 256, subnormals
  // included.
  static void decode(FormatTag<WeightFormat::kFp8Block128>, const uint8_t* bytes, __m512 factor,
                     Reg* out) {
    const __m256i keep = _mm256_set1_epi16(static_cast<int16_t>(0xbf80));
    for (int i = 0; i < 2; ++i) {
      const __m128i codes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + 16 * i));
      const __m256i halves =
          _mm256_and_si256(_mm256_slli_epi16(_mm256_cvtepi8_epi16(codes), 7), keep);
      out[i] = _mm512_mul_ps(_mm512_cvtph_ps(halves), factor);
    }
  }

  // The sixteen values fill one register: the low four bits of a lane choose among them. Even
  // columns first, then odd ones.
  static void decode(FormatTag<WeightFormat::kFp4Block32>, const uint8_t* bytes, __m512 values,
                     Reg* out) {
    const __m512i pairs =
        _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
    out[0] = _mm512_permutexvar_ps(pairs, values);
    out[1] = _mm512_permutexvar_ps(_mm512_srli_epi32(pairs, 4), values);
  }

  static bool has_nan_code(const uint8_t* bytes, int64_t n) {
    const __m512i magnitude = _mm512_set1_epi8(0x7f);
    __mmask64 found = 0;
    for (int64_t i = 0; i < n; i += 64) {
      const __mmask64 valid = n - i >= 64 ? ~__mmask64{0} : (__mmask64{1} << (n - i)) - 1;
      const __m512i codes = _mm512_maskz_loadu_epi8(valid, bytes + i);
      found |= _mm512_cmpeq_epi8_mask(_mm512_and_si512(codes, magnitude), magnitude);
    }
    return found != 0;
  }

  template <WeightFormat F>
  static void reorder(FormatTag<F>, float* x) {
    if (F != WeightFormat::kFp4Block32) return;
    const __m512i even =
        _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odd = _mm512_or_si512(even, _mm512_set1_epi32(1));
    const Reg low = load(x);
    const Reg high = load(x + 16);
    store(x, _mm512_permutex2var_ps(low, even, high));
    store(x + 16, _mm512_permutex2var_ps(low, odd, high));
  }

  static void convert(const float* x, int64_t n, float* to) {
    std::memcpy(to, x, static_cast<size_t>(n) * sizeof(float));
  }
};

}  // namespace
}  // namespace dsv4::kernels
