// Compiled for AVX2, FMA and F16C; called only where the processor has them.
#include "kernels/matmul/tile.h"

#if defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#include <immintrin.h>

namespace dsv4::kernels {
namespace {

struct Avx2 {
  using Element = float;
  using Reg = __m256;
  using Acc = __m256;
  static constexpr int kWidth = 8;

  static Reg load(const float* from) { return _mm256_loadu_ps(from); }
  static void store(float* to, Reg reg) { _mm256_storeu_ps(to, reg); }
  static Acc zero() { return _mm256_setzero_ps(); }
  static Acc madd(Reg w, Reg x, Acc acc) { return _mm256_fmadd_ps(w, x, acc); }
  static float sum(Acc acc) {
    const __m128 half = _mm_add_ps(_mm256_castps256_ps128(acc), _mm256_extractf128_ps(acc, 1));
    const __m128 pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
  }

  static void decode(FormatTag<WeightFormat::kF32>, const uint8_t* bytes, uint8_t, Reg* out) {
    for (int i = 0; i < 4; ++i) {
      out[i] = _mm256_loadu_ps(reinterpret_cast<const float*>(bytes + 32 * i));
    }
  }

  static void decode(FormatTag<WeightFormat::kBf16>, const uint8_t* bytes, uint8_t, Reg* out) {
    for (int i = 0; i < 4; ++i) {
      const __m128i upper = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + 16 * i));
      out[i] = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(upper), 16));
    }
  }

  // A sign-extended code shifted by 7 has its sign, exponent and mantissa where a half float has
  // them, but for one copy of the sign in the way: that half float is value / 256, subnormals
  // included.
  static void decode(FormatTag<WeightFormat::kFp8Block128>, const uint8_t* bytes, uint8_t scale,
                     Reg* out) {
    const __m256 factor = _mm256_broadcast_ss(&kE8m0Values[scale]);
    const __m128i keep = _mm_set1_epi16(static_cast<int16_t>(0xbf80));
    for (int i = 0; i < 4; ++i) {
      const __m128i codes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes + 8 * i));
      const __m128i halves = _mm_and_si128(_mm_slli_epi16(_mm_cvtepi8_epi16(codes), 7), keep);
      out[i] = _mm256_mul_ps(_mm256_cvtph_ps(halves), factor);
    }
  }

  // The lower half of the register takes the even columns (low nibbles), the upper half the odd
  // ones; two shuffles look up the bytes of the scaled values as bf16, interleaving pairs them.
  static void decode(FormatTag<WeightFormat::kFp4Block32>, const uint8_t* bytes, uint8_t scale,
                     Reg* out) {
    const E2m1Planes& planes = kE2m1Planes[scale];
    const __m256i upper = broadcast(planes.upper);
    const __m256i lower = broadcast(planes.lower);
    const __m256i codes = _mm256_and_si256(
        _mm256_srlv_epi64(broadcast(bytes), _mm256_setr_epi64x(0, 0, 4, 4)), _mm256_set1_epi8(15));
    const __m256i high = _mm256_shuffle_epi8(upper, codes);
    const __m256i low = _mm256_shuffle_epi8(lower, codes);
    const __m256i first = _mm256_unpacklo_epi8(low, high);
    const __m256i second = _mm256_unpackhi_epi8(low, high);
    const __m256i odd_places = _mm256_set1_epi32(static_cast<int32_t>(0xffff0000));
    out[0] = _mm256_castsi256_ps(_mm256_slli_epi32(first, 16));
    out[1] = _mm256_castsi256_ps(_mm256_and_si256(first, odd_places));
    out[2] = _mm256_castsi256_ps(_mm256_slli_epi32(second, 16));
    out[3] = _mm256_castsi256_ps(_mm256_and_si256(second, odd_places));
  }

  static bool has_nan_code(const uint8_t* bytes, int64_t n) {
    const __m256i magnitude = _mm256_set1_epi8(0x7f);
    __m256i largest = _mm256_setzero_si256();
    int64_t i = 0;
    for (; i + 32 <= n; i += 32) {
      const __m256i codes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes + i));
      largest = _mm256_max_epu8(largest, _mm256_and_si256(codes, magnitude));
    }
    bool found = _mm256_movemask_epi8(_mm256_cmpeq_epi8(largest, magnitude)) != 0;
    for (; i < n; ++i) found |= (bytes[i] & 0x7f) == 0x7f;
    return found;
  }

 private:
  static __m256i broadcast(const uint8_t* sixteen) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(sixteen)));
  }
};

constexpr uint8_t kFp4Order[kStepCols] = {0,  4,  8,  12, 1,  5,  9,  13, 2,  6,  10,
                                          14, 3,  7,  11, 15, 16, 20, 24, 28, 17, 21,
                                          25, 29, 18, 22, 26, 30, 19, 23, 27, 31};

}  // namespace

const KernelTable* avx2_kernels() {
  static constexpr KernelTable kTable = {
      ActivationType::kF32,
      {multiply_rows<Avx2, WeightFormat::kF32>, multiply_rows<Avx2, WeightFormat::kBf16>,
       multiply_rows<Avx2, WeightFormat::kFp8Block128>,
       multiply_rows<Avx2, WeightFormat::kFp4Block32>},
      kFp4Order};
  return &kTable;
}

}  // namespace dsv4::kernels

#else

namespace dsv4::kernels {
const KernelTable* avx2_kernels() { return nullptr; }
}  // namespace dsv4::kernels

#endif
