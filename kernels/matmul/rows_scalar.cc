#include "kernels/matmul/tile.h"

namespace dsv4::kernels {
namespace {

// Eight sums side by side in plain C++, which any compiler turns into whatever vectors it has.
struct Scalar {
  using Element = float;
  struct Reg {
    float lane[8];
  };
  using Acc = Reg;
  static constexpr int kWidth = 8;
  static constexpr int kSums = 12;
  static constexpr int kTileTokens = 3;
  static constexpr float kE4m3Unit = 256.0f;
  static constexpr bool kShowsNan = false;
  template <WeightFormat>
  static constexpr bool kReorders = false;

  static Reg load(const float* from) {
    Reg reg;
    std::memcpy(&reg, from, sizeof reg);
    return reg;
  }
  static void store(float* to, const Reg& reg) { std::memcpy(to, &reg, sizeof reg); }
  static Acc zero() { return {}; }
  static Acc madd(const Reg& w, const Reg& x, Acc acc) {
    for (int i = 0; i < kWidth; ++i) acc.lane[i] += w.lane[i] * x.lane[i];
    return acc;
  }
  static float sum(const Acc& acc) {
    const float* l = acc.lane;
    return ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]));
  }
  static void sum4(const Acc& a, const Acc& b, const Acc& c, const Acc& d, float* out) {
    out[0] = sum(a);
    out[1] = sum(b);
    out[2] = sum(c);
    out[3] = sum(d);
  }

  template <WeightFormat F>
  static float scaling(FormatTag<F>, uint8_t scale) {
    return kE8m0Values[scale];
  }
  static void decode(FormatTag<WeightFormat::kF32>, const uint8_t* bytes, float, Reg* out) {
    std::memcpy(out, bytes, 4 * kStepCols);
  }
  static void decode(FormatTag<WeightFormat::kBf16>, const uint8_t* bytes, float, Reg* out) {
    for (int i = 0; i < kStepCols; ++i) {
      const uint32_t bits =
          static_cast<uint32_t>(bytes[2 * i]) << 16 | static_cast<uint32_t>(bytes[2 * i + 1]) << 24;
      std::memcpy(&out[i / kWidth].lane[i % kWidth], &bits, 4);
    }
  }
  // The code's exponent and mantissa in a float's place are the value times 2^-120, subnormals
  // included; 2^112 leaves value / 256.
  static void decode(FormatTag<WeightFormat::kFp8Block128>, const uint8_t* bytes, float factor,
                     Reg* out) {
    for (int i = 0; i < kStepCols; ++i) {
      const uint32_t bits = static_cast<uint32_t>(bytes[i] & 0x7f) << 20 |
                            static_cast<uint32_t>(bytes[i] & 0x80) << 24;
      float value = 0;
      std::memcpy(&value, &bits, 4);
      out[i / kWidth].lane[i % kWidth] = value * 0x1p112f * factor;
    }
  }
  static void decode(FormatTag<WeightFormat::kFp4Block32>, const uint8_t* bytes, float factor,
                     Reg* out) {
    for (int i = 0; i < kStepCols / 2; ++i) {
      out[2 * i / kWidth].lane[2 * i % kWidth] = kE2m1Values[bytes[i] & 15] * factor;
      out[2 * i / kWidth].lane[2 * i % kWidth + 1] = kE2m1Values[bytes[i] >> 4] * factor;
    }
  }
  static bool has_nan_code(const uint8_t* bytes, int64_t n) {
    bool found = false;
    for (int64_t i = 0; i < n; ++i) found |= (bytes[i] & 0x7f) == 0x7f;
    return found;
  }
  template <WeightFormat F>
  static void reorder(FormatTag<F>, float*) {}
  static void convert(const float* x, int64_t n, float* to) {
    std::memcpy(to, x, static_cast<size_t>(n) * sizeof(float));
  }
};

}  // namespace

const KernelTable* scalar_kernels() {
  static constexpr KernelTable kTable = kernel_table<Scalar>();
  return &kTable;
}

}  // namespace dsv4::kernels
