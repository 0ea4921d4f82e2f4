#include "kernels/rounding/rounding.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace dsv4::kernels {
namespace {

constexpr uint32_t kExponentBits = 0x7f800000u;
constexpr uint32_t kMagnitudeBits = 0x7fffffffu;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// A small binary float format without infinities.
struct Format {
  int mantissa_bits;
  float largest;
  float quantum;  // spacing of the subnormals, which is also the smallest value
};
constexpr Format kE4m3{3, 448.0f, 0x1p-9f};
constexpr Format kE2m1{1, 6.0f, 0.5f};

// The nearest multiple of the format's spacing at v, ties to even: adding and taking away
// 1.5 * 2^23 spacings leaves the processor's own rounding to do it. No branches, so that loops over
// it become vector code. Expects |v| <= largest.
inline float nearest(const Format& f, float v) {
  const float power = std::bit_cast<float>(std::bit_cast<uint32_t>(v) & kExponentBits);
  const float spacing =
      std::max(power * (1.0f / static_cast<float>(1 << f.mantissa_bits)), f.quantum);
  const float magic = spacing * 0x1.8p23f;
  return (v + magic) - magic;
}

// The smallest power of two s with s * largest >= amax, for a normal amax: `largest` is
// 2^k * mantissa, so only amax's own exponent and one comparison of mantissas are needed.
float block_scale(const Format& f, float amax) {
  if (!(amax <= std::numeric_limits<float>::max())) return kNan;
  const uint32_t bits = std::bit_cast<uint32_t>(amax);
  const uint32_t top = std::bit_cast<uint32_t>(f.largest);
  const int exponent = static_cast<int>(bits >> 23) - static_cast<int>(top >> 23);
  const bool above = (bits & 0x7fffffu) > (top & 0x7fffffu);
  return std::ldexp(1.0f, exponent + (above ? 1 : 0));
}

// The largest magnitude; NaN counts as larger than everything, because the magnitudes are compared
// as bit patterns, whose order is the order of the values.
float largest_magnitude(const float* x, int64_t n) {
  uint32_t largest = 0;
  for (int64_t i = 0; i < n; ++i) {
    largest = std::max(largest, std::bit_cast<uint32_t>(x[i]) & kMagnitudeBits);
  }
  return std::bit_cast<float>(largest);
}

void round_block(const Format& f, float scale, float* x, int64_t n) {
  const float inverse = 1.0f / scale;  // exact: a power of two
  for (int64_t i = 0; i < n; ++i) {
    const float v = std::min(std::max(x[i] * inverse, -f.largest), f.largest);
    x[i] = nearest(f, v) * scale;
  }
}

uint8_t encode(const Format& f, float value, int exponent_bits) {
  const uint32_t sign = std::bit_cast<uint32_t>(value) >> 31;
  const int sign_shift = exponent_bits + f.mantissa_bits;
  const float v = nearest(f, std::min(f.largest, std::fabs(value)));
  uint32_t code = 0;
  const float smallest_normal = f.quantum * static_cast<float>(1 << f.mantissa_bits);
  if (v < smallest_normal) {
    code = static_cast<uint32_t>(v / f.quantum);
  } else {
    const uint32_t base = std::bit_cast<uint32_t>(smallest_normal) >> 23;
    const uint32_t bits = std::bit_cast<uint32_t>(v) >> (23 - f.mantissa_bits);
    code = bits - ((base - 1) << f.mantissa_bits);
  }
  return static_cast<uint8_t>(code | sign << sign_shift);
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

float fp8_block_scale(float amax) { return block_scale(kE4m3, amax < 1e-4f ? 1e-4f : amax); }

float fp4_block_scale(float amax) {
  return block_scale(kE2m1, amax < 6 * 0x1p-126f ? 6 * 0x1p-126f : amax);
}

void round_fp8_blocks(float* x, int64_t n, int64_t block) {
  for (int64_t i = 0; i < n; i += block) {
    const int64_t width = std::min(block, n - i);
    round_block(kE4m3, fp8_block_scale(largest_magnitude(x + i, width)), x + i, width);
  }
}

void round_fp4_blocks(float* x, int64_t n, int64_t block) {
  for (int64_t i = 0; i < n; i += block) {
    const int64_t width = std::min(block, n - i);
    round_block(kE2m1, fp4_block_scale(largest_magnitude(x + i, width)), x + i, width);
  }
}

}  // namespace dsv4::kernels
