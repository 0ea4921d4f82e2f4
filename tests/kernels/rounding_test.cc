#include "kernels/rounding/rounding.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "tests/catch.h"
#include "tests/kernels/random.h"

using namespace dsv4::kernels;

namespace {

// The value of an e4m3 or e2m1 code written from the formats' definition.
double value_by_definition(int code, int exponent_bits, int mantissa_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int mantissa = code & ((1 << mantissa_bits) - 1);
  const int exponent = code >> mantissa_bits & ((1 << exponent_bits) - 1);
  const double sign = code >> (exponent_bits + mantissa_bits) != 0 ? -1.0 : 1.0;
  const double fraction = std::ldexp(mantissa, -mantissa_bits);
  return sign * (exponent == 0 ? std::ldexp(fraction, 1 - bias)
                               : std::ldexp(1 + fraction, exponent - bias));
}

}  // namespace

TEST_CASE("all 256 e4m3 codes decode to their value and encode back") {
  for (int code = 0; code < 256; ++code) {
    const auto byte = static_cast<uint8_t>(code);
    INFO("code " << code);
    if ((code & 0x7f) == 0x7f) {
      REQUIRE(std::isnan(decode_e4m3(byte)));
      REQUIRE(encode_e4m3(decode_e4m3(byte)) % 128 == 127);
      continue;
    }
    REQUIRE(decode_e4m3(byte) == value_by_definition(code, 4, 3));
    REQUIRE(int{encode_e4m3(decode_e4m3(byte))} == code);
  }
}

TEST_CASE("e4m3 rounds to nearest and every tie goes to the even code") {
  for (int code = 0; code < 0x7e; ++code) {
    INFO("between codes " << code << " and " << code + 1);
    const double low = value_by_definition(code, 4, 3);
    const double high = value_by_definition(code + 1, 4, 3);
    const auto middle = static_cast<float>((low + high) / 2);
    const int even = code % 2 == 0 ? code : code + 1;
    for (const int sign : {0, 0x80}) {
      const float s = sign != 0 ? -1.0f : 1.0f;
      REQUIRE(int{encode_e4m3(s * middle)} == (sign | even));
      REQUIRE(int{encode_e4m3(s * std::nextafter(middle, 0.0f))} == (sign | code));
      REQUIRE(int{encode_e4m3(s * std::nextafter(middle, 1e9f))} == (sign | (code + 1)));
    }
  }
  REQUIRE(int{encode_e4m3(1e30f)} == 0x7e);
  REQUIRE(int{encode_e4m3(-std::numeric_limits<float>::infinity())} == 0xfe);
  REQUIRE(int{encode_e4m3(0x1p-140f)} == 0);
}

TEST_CASE("e2m1 holds its sixteen values and every tie goes to the even code") {
  for (int code = 0; code < 16; ++code) {
    const auto byte = static_cast<uint8_t>(code);
    REQUIRE(decode_e2m1(byte) == value_by_definition(code, 2, 1));
    REQUIRE(int{encode_e2m1(decode_e2m1(byte))} == code);
  }
  for (int code = 0; code < 7; ++code) {
    const double low = value_by_definition(code, 2, 1);
    const double high = value_by_definition(code + 1, 2, 1);
    const auto middle = static_cast<float>((low + high) / 2);
    REQUIRE(int{encode_e2m1(middle)} == (code % 2 == 0 ? code : code + 1));
    REQUIRE(int{encode_e2m1(-std::nextafter(middle, 0.0f))} == (code | 8));
    REQUIRE(int{encode_e2m1(std::nextafter(middle, 9.0f))} == code + 1);
  }
  REQUIRE(int{encode_e2m1(100.0f)} == 7);
}

TEST_CASE("e8m0 bytes are powers of two, not floats") {
  for (int byte = 0; byte < 255; ++byte) {
    REQUIRE(decode_e8m0(static_cast<uint8_t>(byte)) == std::ldexp(1.0, byte - 127));
  }
  REQUIRE(std::isnan(decode_e8m0(255)));
}

TEST_CASE("block scales are the smallest power of two that fits, with the floors") {
  for (int exponent = -12; exponent < 100; exponent += 7) {
    const float full = std::ldexp(448.0f, exponent);
    REQUIRE(fp8_block_scale(full) == std::ldexp(1.0f, exponent));
    REQUIRE(fp8_block_scale(std::nextafter(full, 1e38f)) == std::ldexp(2.0f, exponent));
    const float six = std::ldexp(6.0f, exponent);
    REQUIRE(fp4_block_scale(six) == std::ldexp(1.0f, exponent));
    REQUIRE(fp4_block_scale(std::nextafter(six, 0.0f)) == std::ldexp(1.0f, exponent));
    REQUIRE(fp4_block_scale(std::nextafter(six, 1e38f)) == std::ldexp(2.0f, exponent));
  }
  REQUIRE(fp8_block_scale(0.0f) == std::exp2(std::ceil(std::log2(1e-4 / 448))));
  REQUIRE(fp4_block_scale(0.0f) == 0x1p-126f);
  REQUIRE(std::isnan(fp8_block_scale(std::numeric_limits<float>::infinity())));
  REQUIRE(std::isnan(fp4_block_scale(std::numeric_limits<float>::quiet_NaN())));
}

TEST_CASE("rounding a row by blocks is encode and decode with the block's scale") {
  Random random;
  INFO("seed " << random.seed());
  for (const int64_t block : {32, 64, 128}) {
    std::vector<float> x(static_cast<size_t>(3 * block + 5));
    for (float& v : x) v = random.normal() * std::exp2(random.uniform(-20, 20));
    std::vector<float> by8 = x;
    std::vector<float> by4 = x;
    const auto n = static_cast<int64_t>(x.size());
    round_fp8_blocks(by8.data(), n, block);
    round_fp4_blocks(by4.data(), n, block);
    for (int64_t i = 0; i < n; ++i) {
      float amax = 0;
      const int64_t first = i / block * block;
      for (int64_t j = first; j < std::min(first + block, n); ++j) {
        amax = std::max(amax, std::fabs(x[static_cast<size_t>(j)]));
      }
      const auto at = static_cast<size_t>(i);
      const float s8 = fp8_block_scale(amax);
      const float s4 = fp4_block_scale(amax);
      REQUIRE(by8[at] == decode_e4m3(encode_e4m3(x[at] / s8)) * s8);
      REQUIRE(by4[at] == decode_e2m1(encode_e2m1(x[at] / s4)) * s4);
    }
  }
}

TEST_CASE("a fault in a block fills that block with NaN and no other") {
  for (const float fault :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    std::vector<float> x(96, 1.0f);
    x[40] = fault;
    std::vector<float> y = x;
    round_fp8_blocks(x.data(), 96, 32);
    round_fp4_blocks(y.data(), 96, 32);
    for (size_t i = 0; i < 96; ++i) {
      REQUIRE(std::isnan(x[i]) == (i / 32 == 1));
      REQUIRE(std::isnan(y[i]) == (i / 32 == 1));
    }
  }
}
