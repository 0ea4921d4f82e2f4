// AVX-512 BF16 arithmetic, and decoding by the byte shuffles of VBMI (see tile.h).

#include "kernels/matmul/avx512.h"

namespace dsv4::kernels {
namespace {

// The e4m3 weights of a step as bf16 numbers, each apart in its two bytes: in the lower halves of
// two registers.
struct E4m3Bytes {
  __m512i lower;
  __m512i upper;
};

// The magnitudes of the codes times a scale, see kE4m3Planes.
struct E4m3Table {
  __m512i lower[2];
  __m512i upper[2];
};

inline E4m3Table e4m3_table(uint8_t scale) {
  const E4m3Planes& planes = kE4m3Planes[scale];
  return {{_mm512_loadu_si512(planes.lower), _mm512_loadu_si512(planes.lower + 64)},
          {_mm512_loadu_si512(planes.upper), _mm512_loadu_si512(planes.upper + 64)}};
}

inline E4m3Bytes e4m3_bytes(const uint8_t* bytes, const E4m3Table& table) {
  const __m512i codes =
      _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes)));
  // Only the lower seven bits of an index count.
  const __m512i lower = _mm512_permutex2var_epi8(table.lower[0], codes, table.lower[1]);
  const __m512i magnitude = _mm512_permutex2var_epi8(table.upper[0], codes, table.upper[1]);
  constexpr int kOrAnd = 0xf8;  // a | (b & c)
  return {lower, _mm512_ternarylogic_epi32(magnitude, codes,
                                           _mm512_set1_epi8(static_cast<char>(0x80)), kOrAnd)};
}

// Which byte of two registers goes where: 64 and more are those of the second.
struct ByteOrder {
  alignas(64) uint8_t from[64];
};

// Pairs up to bf16 numbers in the order of the columns.
constexpr ByteOrder pair_order() {
  ByteOrder order{};
  for (int i = 0; i < 64; ++i) {
    order.from[i] = static_cast<uint8_t>(i / 2 + (i % 2 != 0 ? 64 : 0));
  }
  return order;
}
// The same in the upper halves of floats, from column `first` on; other bytes are to be zero.
constexpr ByteOrder float_order(int first) {
  ByteOrder order{};
  for (int i = 0; i < 64; ++i) {
    order.from[i] = static_cast<uint8_t>(first + i / 4 + (i % 4 == 3 ? 64 : 0));
  }
  return order;
}
constexpr ByteOrder kPairs = pair_order();
constexpr ByteOrder kFirstFloats = float_order(0);
constexpr ByteOrder kLastFloats = float_order(16);

// Where the four bits of each column begin in their eight bytes of e2m1 codes; a column fills two
// bytes.
constexpr ByteOrder nibble_order() {
  ByteOrder order{};
  for (int i = 0; i < 64; ++i) order.from[i] = static_cast<uint8_t>(i / 16 * 16 + i % 8 / 2 * 4);
  return order;
}
constexpr ByteOrder kNibbles = nibble_order();

// Pairs of bf16 products summed in f32, twice the arithmetic per instruction. Weights and
// FP8-rounded activations are bf16 numbers, scales included, so the products stay exact. (The 8-bit
// integer instructions of VNNI do not fit: e4m3 spans 18 bits as an integer.)
struct Avx512Bf16 {
  using Element = uint16_t;
  using Reg = __m512bh;
  using Acc = __m512;
  static constexpr int kWidth = 32;
  static constexpr int kSums = 24;
  static constexpr int kTileTokens = 4;
  static constexpr float kE4m3Unit = 1.0f;
  static constexpr bool kShowsNan = true;
  template <WeightFormat F>
  static constexpr bool kReorders = F == WeightFormat::kFp4Block32;

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

  static uint8_t scaling(FormatTag<WeightFormat::kBf16>, uint8_t) { return 0; }
  static E4m3Table scaling(FormatTag<WeightFormat::kFp8Block128>, uint8_t scale) {
    return e4m3_table(scale);
  }
  static const E2m1Planes* scaling(FormatTag<WeightFormat::kFp4Block32>, uint8_t scale) {
    return &kE2m1Planes[scale];
  }

  static void decode(FormatTag<WeightFormat::kBf16>, const uint8_t* bytes, uint8_t, Reg* out) {
    *out = load(bytes);
  }
  static void decode(FormatTag<WeightFormat::kFp8Block128>, const uint8_t* bytes,
                     const E4m3Table& table, Reg* out) {
    const E4m3Bytes parts = e4m3_bytes(bytes, table);
    *out =
        pairs(_mm512_permutex2var_epi8(parts.lower, _mm512_load_si512(kPairs.from), parts.upper));
  }
  // Each two bytes look up the upper and the lower byte of a scaled value.
  static void decode(FormatTag<WeightFormat::kFp4Block32>, const uint8_t* bytes,
                     const E2m1Planes* scaled, Reg* out) {
    const __m512i codes =
        _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
    const __m512i planes =
        _mm512_broadcast_i64x4(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(scaled->upper)));
    const __m512i nibbles = _mm512_multishift_epi64_epi8(_mm512_load_si512(kNibbles.from), codes);
    constexpr int kAndOr = 0xea;  // (a & b) | c
    const __m512i index =
        _mm512_ternarylogic_epi32(nibbles, _mm512_set1_epi8(15), _mm512_set1_epi16(16), kAndOr);
    *out = pairs(_mm512_permutexvar_epi8(index, planes));
  }
  static bool has_nan_code(const uint8_t*, int64_t) { return false; }

  static void reorder(FormatTag<WeightFormat::kBf16>, float*) {}
  static void reorder(FormatTag<WeightFormat::kFp8Block128>, float*) {}
  // Fours of columns from the first and the last sixteen in turn.
  static void reorder(FormatTag<WeightFormat::kFp4Block32>, float* x) {
    const __m512i first = _mm512_setr_epi32(0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    const __m512i last = _mm512_or_si512(first, _mm512_set1_epi32(8));
    const __m512 low = _mm512_loadu_ps(x);
    const __m512 high = _mm512_loadu_ps(x + 16);
    _mm512_storeu_ps(x, _mm512_permutex2var_ps(low, first, high));
    _mm512_storeu_ps(x + 16, _mm512_permutex2var_ps(low, last, high));
  }
  // Values that were rounded through e4m3 fit bf16, so cutting is converting; NaN stays one.
  static void convert(const float* x, int64_t n, uint16_t* to) {
    for (int64_t i = 0; i < n; ++i) to[i] = static_cast<uint16_t>(bits_of(x[i]) >> 16);
  }

 private:
  static Reg pairs(__m512i bits) {
    Reg reg;
    std::memcpy(&reg, &bits, sizeof reg);
    return reg;
  }
};

// f32 weights do not fit: they stay with the AVX-512 table.
constexpr KernelTable avx512_bf16_table() {
  return {sizeof(uint16_t),
          {FormatKernels{}, format_kernels<Avx512Bf16, WeightFormat::kBf16>(),
           format_kernels<Avx512Bf16, WeightFormat::kFp8Block128>(),
           format_kernels<Avx512Bf16, WeightFormat::kFp4Block32>()}};
}

// Activations that were not rounded stay f32; FP8 weights decode as above, cheaper than through
// half floats. The same sums as Avx512's.
struct Avx512Bytes : Avx512 {
  static constexpr float kE4m3Unit = 1.0f;
  static constexpr bool kShowsNan = true;

  static E4m3Table scaling(FormatTag<WeightFormat::kFp8Block128>, uint8_t scale) {
    return e4m3_table(scale);
  }

  static void decode(FormatTag<WeightFormat::kFp8Block128>, const uint8_t* bytes,
                     const E4m3Table& table, Reg* out) {
    const E4m3Bytes parts = e4m3_bytes(bytes, table);
    constexpr __mmask64 kUpper = 0xcccccccccccccccc;
    const auto floats = [&](const ByteOrder& order) {
      return _mm512_castsi512_ps(_mm512_maskz_permutex2var_epi8(
          kUpper, parts.lower, _mm512_load_si512(order.from), parts.upper));
    };
    out[0] = floats(kFirstFloats);
    out[1] = floats(kLastFloats);
  }
};

constexpr KernelTable avx512_bytes_table() {
  KernelTable table = kernel_table<Avx512>();
  table.by_format[static_cast<int>(WeightFormat::kFp8Block128)] =
      format_kernels<Avx512Bytes, WeightFormat::kFp8Block128>();
  return table;
}

}  // namespace
}  // namespace dsv4::kernels
