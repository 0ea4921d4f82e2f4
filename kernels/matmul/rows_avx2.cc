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
  static constexpr int kSums = 12;
  static constexpr int kTileTokens = 3;
  static constexpr float kE4m3Unit = 0x1p64f;
  static constexpr bool kShowsNan = false;
  template <WeightFormat F>
  static constexpr bool kReorders =
      F == WeightFormat::kFp8Block128 || F == WeightFormat::kFp4Block32;

  static Reg load(const float* from) { return _mm256_loadu_ps(from); }
  static void store(float* to, Reg reg) { _mm256_storeu_ps(to, reg); }
  static Acc zero() { return _mm256_setzero_ps(); }
  static Acc madd(Reg w, Reg x, Acc acc) { return _mm256_fmadd_ps(w, x, acc); }
  // Within each half (0 + 2) + (1 + 3), then the halves.
  static float sum(Acc acc) {
    const __m256 pairs = _mm256_add_ps(acc, _mm256_permute_ps(acc, 0x4e));
    const __m256 halves = _mm256_add_ps(pairs, _mm256_permute_ps(pairs, 0xb1));
    return _mm_cvtss_f32(
        _mm_add_ss(_mm256_castps256_ps128(halves), _mm256_extractf128_ps(halves, 1)));
  }
  static void sum4(Acc a, Acc b, Acc c, Acc d, float* out) {
    const __m256d ab =
        _mm256_castps_pd(_mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b)));
    const __m256d cd =
        _mm256_castps_pd(_mm256_add_ps(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d)));
    const __m256 halves = _mm256_add_ps(_mm256_castpd_ps(_mm256_unpacklo_pd(ab, cd)),
                                        _mm256_castpd_ps(_mm256_unpackhi_pd(ab, cd)));
    _mm_storeu_ps(out,
                  _mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps(halves, 1)));
  }

  template <WeightFormat F>
  static uint8_t scaling(FormatTag<F>, uint8_t) {
    return 0;
  }
  static __m256 scaling(FormatTag<WeightFormat::kFp8Block128>, uint8_t scale) {
    return _mm256_broadcast_ss(&kE4m3Factors[scale]);
  }
  static const E2m1Planes* scaling(FormatTag<WeightFormat::kFp4Block32>, uint8_t scale) {
    return &kE2m1Planes[scale];
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

  // A code's sign, exponent and mantissa moved to their places in a float make value * 2^-120,
  // subnormals included. The factor leaves value * scale / kE4m3Unit: exact for scales from 2^-53
  // to 2^71, beyond which the factor is infinite. Register k takes byte k of every four: two shifts
  // each, cheaper than widening bytes.
  static void decode(FormatTag<WeightFormat::kFp8Block128>, const uint8_t* bytes, __m256 factor,
                     Reg* out) {
    const __m256i codes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
    out[0] = _mm256_mul_ps(upper_byte(_mm256_slli_epi32(codes, 24)), factor);
    out[1] = _mm256_mul_ps(upper_byte(_mm256_slli_epi32(codes, 16)), factor);
    out[2] = _mm256_mul_ps(upper_byte(_mm256_slli_epi32(codes, 8)), factor);
    out[3] = _mm256_mul_ps(upper_byte(codes), factor);
  }

  // The lower half of the register takes the even columns (low nibbles), the upper half the odd
  // ones; two shuffles look up the bytes of the scaled values as bf16, interleaving pairs them.
  static void decode(FormatTag<WeightFormat::kFp4Block32>, const uint8_t* bytes,
                     const E2m1Planes* planes, Reg* out) {
    const __m256i upper = broadcast(planes->upper);
    const __m256i lower = broadcast(planes->lower);
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

  static void reorder(FormatTag<WeightFormat::kF32>, float*) {}
  static void reorder(FormatTag<WeightFormat::kBf16>, float*) {}

  // Column 4 i + k to place i of register k: pairs (k, k + 4) within each register, then a
  // transposition of four by four pairs.
  static void reorder(FormatTag<WeightFormat::kFp8Block128>, float* x) {
    __m256d pairs[4];
    for (int i = 0; i < 4; ++i) {
      pairs[i] = _mm256_castps_pd(_mm256_permutevar8x32_ps(
          _mm256_loadu_ps(x + 8 * i), _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
    }
    const __m256d even01 = _mm256_unpacklo_pd(pairs[0], pairs[1]);
    const __m256d odd01 = _mm256_unpackhi_pd(pairs[0], pairs[1]);
    const __m256d even23 = _mm256_unpacklo_pd(pairs[2], pairs[3]);
    const __m256d odd23 = _mm256_unpackhi_pd(pairs[2], pairs[3]);
    store(x, _mm256_castpd_ps(_mm256_permute2f128_pd(even01, even23, 0x20)));
    store(x + 8, _mm256_castpd_ps(_mm256_permute2f128_pd(odd01, odd23, 0x20)));
    store(x + 16, _mm256_castpd_ps(_mm256_permute2f128_pd(even01, even23, 0x31)));
    store(x + 24, _mm256_castpd_ps(_mm256_permute2f128_pd(odd01, odd23, 0x31)));
  }

  // Registers as decode makes them: columns 0 4 8 12 1 5 9 13, then 2 6 10 14 3 7 11 15, and the
  // same again from 16: quarters of the FP8 order.
  static void reorder(FormatTag<WeightFormat::kFp4Block32>, float* x) {
    reorder(FormatTag<WeightFormat::kFp8Block128>{}, x);
    const Reg by_byte[4] = {load(x), load(x + 8), load(x + 16), load(x + 24)};
    store(x, _mm256_permute2f128_ps(by_byte[0], by_byte[1], 0x20));
    store(x + 8, _mm256_permute2f128_ps(by_byte[2], by_byte[3], 0x20));
    store(x + 16, _mm256_permute2f128_ps(by_byte[0], by_byte[1], 0x31));
    store(x + 24, _mm256_permute2f128_ps(by_byte[2], by_byte[3], 0x31));
  }

  static void convert(const float* x, int64_t n, float* to) {
    std::memcpy(to, x, static_cast<size_t>(n) * sizeof(float));
  }

 private:
  // The code in the upper byte of each lane, as value * 2^-120.
  static __m256 upper_byte(__m256i lanes) {
    const __m256i keep = _mm256_set1_epi32(static_cast<int32_t>(0x87f00000));
    return _mm256_castsi256_ps(_mm256_and_si256(_mm256_srai_epi32(lanes, 4), keep));
  }
  static __m256i broadcast(const uint8_t* sixteen) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(sixteen)));
  }
};

}  // namespace

const KernelTable* avx2_kernels() {
  static constexpr KernelTable kTable = kernel_table<Avx2>();
  return &kTable;
}

}  // namespace dsv4::kernels

#else

namespace dsv4::kernels {
const KernelTable* avx2_kernels() { return nullptr; }
}  // namespace dsv4::kernels

#endif
