#pragma once

#include "kernels/cuda/lane.h"

// kernels/rounding for lanes: the same bits for every input, NaN included.

namespace dsv4::kernels::cuda {

inline constexpr uint32_t kQuietNanBits = 0x7fc00000U;

DSV4_LANE bool is_nan_bits(uint32_t bits) { return (bits & 0x7fffffffU) > 0x7f800000U; }

// A format without infinities: its mantissa bits and the bits of its largest value, of the spacing
// of its subnormals and of the least amax that a block scale is taken from.
struct Fp8Lanes {
  static constexpr uint32_t kMantissa = 3;
  static constexpr uint32_t kLargest = 0x43e00000U;  // 448
  static constexpr uint32_t kQuantum = 0x3b000000U;  // 2^-9
  static constexpr uint32_t kFloor = 0x38d1b717U;    // 1e-4
  static constexpr uint32_t kSign = 0x80U;
  static constexpr uint32_t kNan = 0x7fU;
};
struct Fp4Lanes {
  static constexpr uint32_t kMantissa = 1;
  static constexpr uint32_t kLargest = 0x40c00000U;  // 6
  static constexpr uint32_t kQuantum = 0x3f000000U;  // 2^-1
  static constexpr uint32_t kFloor = 0x01c00000U;    // 6 * 2^-126
  static constexpr uint32_t kSign = 0x8U;
  static constexpr uint32_t kNan = 0x7U;  // there is none: the largest
};

// The nearest number of the format, ties to even; |v| is at most the largest, or v is NaN.
template <class F>
DSV4_LANE float nearest_of(float v) {
  const auto normal =
      static_cast<int32_t>(bits_of(v) & 0x7f800000U) - static_cast<int32_t>(F::kMantissa << 23);
  constexpr auto subnormal = static_cast<int32_t>(F::kQuantum);
  const auto spacing = static_cast<uint32_t>(normal > subnormal ? normal : subnormal);
  const float magic = float_of(spacing + (23U << 23) + (1U << 22));
  return (v + magic) - magic;
}

// Of a block with the largest magnitude amax; NaN for an amax that is NaN or infinite. Magnitudes
// are compared as bits, whose order is that of the values, NaN last.
template <class F>
DSV4_LANE float block_scale_of(float amax) {
  uint32_t bits = bits_of(amax) & 0x7fffffffU;
  if (bits < F::kFloor) bits = F::kFloor;
  if (bits >= 0x7f800000U) return float_of(kQuietNanBits);
  const uint32_t above = (bits & 0x7fffffU) > (F::kLargest & 0x7fffffU) ? 1 : 0;
  return float_of(((bits >> 23) - (F::kLargest >> 23) + above + 127U) << 23);
}

// 1 / a block's scale, exactly.
DSV4_LANE float inverse_scale(float scale) {
  const uint32_t bits = bits_of(scale);
  return is_nan_bits(bits) ? scale : float_of((254U << 23) - bits);
}

// e8m0 of a block's scale; 255 for NaN.
DSV4_LANE uint32_t scale_byte(float scale) {
  return is_nan_bits(bits_of(scale)) ? 255U : bits_of(scale) >> 23;
}

// The code of v, at most the largest; NaN keeps its sign.
template <class F>
DSV4_LANE uint32_t encode_of(float v) {
  const uint32_t bits = bits_of(v);
  const uint32_t sign = (bits >> 31) * F::kSign;
  if (is_nan_bits(bits)) return F::kNan | sign;
  const uint32_t magnitude = bits & 0x7fffffffU;
  const float near = nearest_of<F>(float_of(magnitude < F::kLargest ? magnitude : F::kLargest));
  constexpr uint32_t smallest = F::kQuantum + (F::kMantissa << 23);  // normal number
  if (bits_of(near) < smallest) {
    return static_cast<uint32_t>(near * float_of((254U << 23) - F::kQuantum)) | sign;
  }
  constexpr uint32_t base = (smallest >> 23) - 1;
  return ((bits_of(near) >> (23 - F::kMantissa)) - (base << F::kMantissa)) | sign;
}

// The code of x in a block of this scale. In one that is damaged all codes are NaN, where there is
// one, with the sign of the numbers that are.
template <class F>
DSV4_LANE uint32_t encode_scaled(float x, float scale) {
  if (!is_nan_bits(bits_of(scale))) return encode_of<F>(x * inverse_scale(scale));
  return is_nan_bits(bits_of(x)) ? encode_of<F>(x) : F::kNan;
}

DSV4_LANE float decode_fp8(uint32_t code) {
  const float value = half_to_float(static_cast<uint16_t>(fp8_to_half2(code & 0xffU))) * kFp8Up;
  return (code & 0x7fU) == 0x7fU ? float_of(kQuietNanBits) : value;
}
DSV4_LANE float decode_fp4(uint32_t code) {
  return half_to_float(static_cast<uint16_t>(fp4_to_half2(code & 0xfU))) * kFp4Up;
}
// Every byte: 0 is a subnormal, 255 NaN.
DSV4_LANE float decode_scale(uint32_t byte) {
  if (byte == 255U) return float_of(kQuietNanBits);
  return byte == 0 ? float_of(1U << 22) : float_of(byte << 23);
}

// To bf16, ties to even; NaN stays NaN.
DSV4_LANE uint32_t encode_bf16_bits(float value) {
  const uint32_t bits = bits_of(value);
  if (is_nan_bits(bits)) return bits >> 16 | 0x40U;
  return (bits + 0x7fffU + (bits >> 16 & 1U)) >> 16;
}

// The larger of two magnitudes, NaN above all.
DSV4_LANE float larger_magnitude(float a, float b) {
  const uint32_t x = bits_of(a) & 0x7fffffffU;
  const uint32_t y = bits_of(b) & 0x7fffffffU;
  return float_of(x > y ? x : y);
}

}  // namespace dsv4::kernels::cuda
