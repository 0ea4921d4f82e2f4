#include "kernels/matmul/scale_table.h"

#include <bit>
#include <cstddef>
#include <limits>

namespace dsv4::kernels {
namespace {

constexpr std::array<float, 256> make_e8m0() {
  std::array<float, 256> values{};
  for (uint32_t byte = 1; byte < 255; ++byte) values[byte] = std::bit_cast<float>(byte << 23);
  values[0] = 0x1p-127f;
  values[255] = std::numeric_limits<float>::quiet_NaN();
  return values;
}

constexpr std::array<float, 256> make_e4m3_factors() {
  std::array<float, 256> values{};
  constexpr std::array<float, 256> kScales = make_e8m0();
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const float value = kScales[byte];
    values[byte] = value > 0x1p71f ? std::numeric_limits<float>::infinity() : value * 0x1p56f;
  }
  return values;
}

constexpr std::array<float, 16> make_e2m1() {
  constexpr float kMagnitudes[8] = {0.0f, 0.5f, 1.0f, 1.5f, 2.0f, 3.0f, 4.0f, 6.0f};
  std::array<float, 16> values{};
  for (std::size_t code = 0; code < 16; ++code) {
    values[code] = code < 8 ? kMagnitudes[code] : -kMagnitudes[code - 8];
  }
  return values;
}

constexpr uint32_t kBf16Infinity = 0x7f80;
constexpr uint32_t kBf16Nan = 0x7fc0;

// bf16 bits of the magnitude times 2^(byte - 127), in integers: the values are two bits wide, so
// even the smallest is exact as a subnormal.
constexpr uint32_t scaled_bf16(float magnitude, int byte) {
  if (byte == 255) return kBf16Nan;
  if (magnitude == 0.0f) return 0;
  const uint32_t bits = std::bit_cast<uint32_t>(magnitude) >> 16;
  const int exponent = static_cast<int>(bits >> 7) + byte - 127;
  const uint32_t mantissa = bits & 0x7f;
  if (exponent >= 255) return kBf16Infinity;
  if (exponent > 0) return static_cast<uint32_t>(exponent) << 7 | mantissa;
  return (0x80u | mantissa) >> (1 - exponent);
}

constexpr std::array<E2m1Planes, 256> make_planes() {
  constexpr std::array<float, 16> kValues = make_e2m1();
  std::array<E2m1Planes, 256> planes{};
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t code = 0; code < 16; ++code) {
      const uint32_t sign = code < 8 ? 0u : 0x8000u;
      const uint32_t bits = scaled_bf16(kValues[code & 7], byte) | sign;
      planes[static_cast<std::size_t>(byte)].upper[code] = static_cast<uint8_t>(bits >> 8);
      planes[static_cast<std::size_t>(byte)].lower[code] = static_cast<uint8_t>(bits);
    }
  }
  return planes;
}

constexpr float e4m3_magnitude(int code) {
  const int exponent = code >> 3;
  const auto mantissa = static_cast<float>(code & 7);
  if (exponent == 0) return mantissa * 0x1p-9f;
  return (1.0f + mantissa / 8) * std::bit_cast<float>(static_cast<uint32_t>(exponent + 120) << 23);
}

constexpr std::array<E4m3Planes, 256> make_e4m3_planes() {
  std::array<E4m3Planes, 256> planes{};
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t code = 0; code < 128; ++code) {
      const uint32_t bits =
          code == 127 ? kBf16Nan : scaled_bf16(e4m3_magnitude(static_cast<int>(code)), byte);
      planes[static_cast<std::size_t>(byte)].lower[code] = static_cast<uint8_t>(bits);
      planes[static_cast<std::size_t>(byte)].upper[code] = static_cast<uint8_t>(bits >> 8);
    }
  }
  return planes;
}

}  // namespace

constinit const std::array<float, 256> kE8m0Values = make_e8m0();
constinit const std::array<float, 256> kE4m3Factors = make_e4m3_factors();
constinit const std::array<float, 16> kE2m1Values = make_e2m1();
constinit const std::array<E2m1Planes, 256> kE2m1Planes = make_planes();
constinit const std::array<E4m3Planes, 256> kE4m3Planes = make_e4m3_planes();

}  // namespace dsv4::kernels
