// Rounding loops without branches or calls, for files compiled for one instruction set: the
// compiler turns them into whatever vectors the file is compiled for. Internal linkage, and no
// inline function of the standard library, for the reason given in kernels/matmul/tile.h.
#pragma once

#include <cstdint>

namespace dsv4::kernels {
namespace {

// A small binary float format without infinities. `quantum` is the spacing of the subnormals, which
// is also the smallest value.
struct SmallFormat {
  int32_t mantissa_bits;
  float largest;
  float quantum;
  float amax_floor;  // section 4: no block scale is taken from less
};
constexpr SmallFormat kE4m3{3, 448.0f, 0x1p-9f, 1e-4f};
constexpr SmallFormat kE2m1{1, 6.0f, 0.5f, 6 * 0x1p-126f};

constexpr int32_t kExponentMask = 0x7f800000;
constexpr int32_t kMantissaMask = 0x007fffff;
constexpr int32_t kMagnitudeMask = 0x7fffffff;
constexpr int32_t kExponentOne = 1 << 23;
constexpr int32_t kQuietNan = 0x7fc00000;

inline int32_t bits_of(float v) { return __builtin_bit_cast(int32_t, v); }
inline float float_of(int32_t bits) { return __builtin_bit_cast(float, bits); }

// The nearest multiple of the format's spacing at v, ties to even: adding and taking away
// 1.5 * 2^23 spacings leaves the processor's own rounding to do it. Expects |v| <= largest, or NaN.
inline float nearest(const SmallFormat& f, float v) {
  const int32_t normal = (bits_of(v) & kExponentMask) - f.mantissa_bits * kExponentOne;
  const int32_t subnormal = bits_of(f.quantum);
  const int32_t spacing = normal > subnormal ? normal : subnormal;
  // Unsigned, because a NaN's exponent wraps around; the sum with it stays NaN.
  const auto bits = static_cast<uint32_t>(spacing) + 23u * kExponentOne + kExponentOne / 2;
  const float magic = float_of(static_cast<int32_t>(bits));
  return (v + magic) - magic;
}

// The smallest power of two s with s * largest >= amax: `largest` is 2^k * mantissa, so only amax's
// own exponent and one comparison of mantissas are needed.
inline float block_scale(const SmallFormat& f, float amax) {
  const int32_t bits = bits_of(amax < f.amax_floor ? f.amax_floor : amax) & kMagnitudeMask;
  const int32_t top = bits_of(f.largest);
  if (bits >= kExponentMask) return float_of(kQuietNan);
  const bool above = (bits & kMantissaMask) > (top & kMantissaMask);
  const int32_t exponent = (bits >> 23) - (top >> 23) + (above ? 1 : 0);
  return float_of((exponent + 127) * kExponentOne);
}

// The largest magnitude; NaN counts as larger than everything, because magnitudes are compared as
// bit patterns, whose order is the order of the values.
inline float largest_magnitude(const float* x, int64_t n) {
  int32_t largest = 0;
  for (int64_t i = 0; i < n; ++i) {
    const int32_t magnitude = bits_of(x[i]) & kMagnitudeMask;
    largest = magnitude > largest ? magnitude : largest;
  }
  return float_of(largest);
}

// x and `to` may be the same. No clamp is needed: by the choice of the scale |x / scale| <=
// largest, and both the division and the product are exact, being by powers of two.
inline void round_one_block(const SmallFormat& f, const float* x, int64_t n, float* to) {
  const float scale = block_scale(f, largest_magnitude(x, n));
  const float inverse = 1.0f / scale;
  for (int64_t i = 0; i < n; ++i) to[i] = nearest(f, x[i] * inverse) * scale;
}

inline void round_blocks(const SmallFormat& f, const float* x, int64_t n, int64_t block,
                         float* to) {
  for (int64_t i = 0; i < n; i += block) {
    round_one_block(f, x + i, n - i < block ? n - i : block, to + i);
  }
}

}  // namespace
}  // namespace dsv4::kernels
