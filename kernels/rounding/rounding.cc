#include "kernels/rounding/rounding.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/rounding/block_loops.h"

namespace dsv4::kernels {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

uint8_t encode(const SmallFormat& f, float value, int exponent_bits) {
  const uint32_t sign = static_cast<uint32_t>(bits_of(value)) >> 31;
  const float v = nearest(f, std::min(f.largest, std::fabs(value)));
  const float smallest_normal = f.quantum * static_cast<float>(1 << f.mantissa_bits);
  uint32_t code = 0;
  if (v < smallest_normal) {
    code = static_cast<uint32_t>(v / f.quantum);
  } else {
    const int32_t base = (bits_of(smallest_normal) >> 23) - 1;
    const int shift = 23 - f.mantissa_bits;
    code = static_cast<uint32_t>((bits_of(v) >> shift) - (base << f.mantissa_bits));
  }
  return static_cast<uint8_t>(code | sign << (exponent_bits + f.mantissa_bits));
}

}  // namespace

float decode_e4m3(uint8_t code) {
  const int magnitude = code & 0x7f;
  if (magnitude == 0x7f) return kNan;
  const int exponent = magnitude >> 3;
  const int mantissa = magnitude & 7;
  const float value = exponent == 0 ? static_cast<float>(mantissa) * kE4m3.quantum
                                    : std::ldexp(static_cast<float>(8 + mantissa), exponent - 10);
  return (code & 0x80) != 0 ? -value : value;
}

uint8_t encode_e4m3(float value) {
  if (std::isnan(value)) return std::signbit(value) ? 0xff : 0x7f;
  return encode(kE4m3, value, 4);
}

float decode_e8m0(uint8_t byte) {
  return byte == 255 ? kNan : std::ldexp(1.0f, static_cast<int>(byte) - 127);
}

float decode_e2m1(uint8_t code) {
  constexpr float kValues[8] = {0.0f, 0.5f, 1.0f, 1.5f, 2.0f, 3.0f, 4.0f, 6.0f};
  const float value = kValues[code & 7];
  return (code & 8) != 0 ? -value : value;
}

uint8_t encode_e2m1(float value) { return encode(kE2m1, value, 2); }

uint16_t encode_bf16(float value) {
  const auto bits = static_cast<uint32_t>(bits_of(value));
  if (std::isnan(value)) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float decode_bf16(uint16_t bits) { return float_of(static_cast<int32_t>(uint32_t{bits} << 16)); }

float fp8_block_scale(float amax) { return block_scale(kE4m3, amax); }

float fp4_block_scale(float amax) { return block_scale(kE2m1, amax); }

void round_fp8_blocks(float* x, int64_t n, int64_t block) { round_blocks(kE4m3, x, n, block, x); }

void round_fp4_blocks(float* x, int64_t n, int64_t block) { round_blocks(kE2m1, x, n, block, x); }

}  // namespace dsv4::kernels
