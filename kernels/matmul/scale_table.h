#pragma once

#include <array>
#include <cstdint>

namespace dsv4::kernels {

// 2^(byte - 127) for every e8m0 byte; NaN for 255.
extern const std::array<float, 256> kE8m0Values;

// 2^56 times that: what turns e4m3 codes in a float's place, value * 2^-120, into value * scale
// * 2^-64. Infinite for scales beyond 2^71.
extern const std::array<float, 256> kE4m3Factors;

// The sixteen e2m1 values times an e8m0 scale, as bf16 numbers (which hold them exactly) split into
// their upper and lower bytes: two byte shuffles turn sixteen codes into scaled values.
struct E2m1Planes {
  uint8_t upper[16];
  uint8_t lower[16];
};
extern const std::array<E2m1Planes, 256> kE2m1Planes;

// The magnitudes of the 128 e4m3 codes without a sign times an e8m0 scale, as bf16 numbers split in
// the same way. The code 0x7f stands for NaN.
struct E4m3Planes {
  uint8_t lower[128];
  uint8_t upper[128];
};
extern const std::array<E4m3Planes, 256> kE4m3Planes;

// The sixteen e2m1 values, indexed by code.
extern const std::array<float, 16> kE2m1Values;

}  // namespace dsv4::kernels
