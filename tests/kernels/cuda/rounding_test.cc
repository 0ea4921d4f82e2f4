#include "kernels/rounding/rounding.h"

#include <bit>

#include "kernels/cuda/launch.h"
#include "kernels/rounding/rounding_lanes.h"
#include "tests/kernels/cuda/on_device.h"

using namespace dsv4::kernels;
using namespace dsv4::kernels::cuda;

namespace {

struct RoundingKernel {
  struct Params {
    const float* x;
    int64_t n;
    uint8_t* fp8;
    uint8_t* fp4;
    uint16_t* bf16;
    float* fp8_scale;
    float* fp4_scale;
  };
  static constexpr const char* kName = "rounding";
  static constexpr int kThreads = 256;
  static DSV4_LANE void run(const Params& p) {
    for (int64_t i = int64_t{block_x()} * kThreads + thread(); i < p.n;
         i += int64_t{blocks_x()} * kThreads) {
      p.fp8[i] = static_cast<uint8_t>(encode_of<Fp8Lanes>(p.x[i]));
      p.fp4[i] = static_cast<uint8_t>(encode_of<Fp4Lanes>(p.x[i]));
      p.bf16[i] = static_cast<uint16_t>(encode_bf16_bits(p.x[i]));
      p.fp8_scale[i] = block_scale_of<Fp8Lanes>(p.x[i]);
      p.fp4_scale[i] = block_scale_of<Fp4Lanes>(p.x[i]);
    }
  }
};

struct DecodingKernel {
  struct Params {
    float* fp8;      // [256]
    float* fp4;      // [256], of the lower half of the code
    float* scales;   // [256]
    float* inverse;  // [256]
  };
  static constexpr const char* kName = "decoding";
  static constexpr int kThreads = 256;
  static DSV4_LANE void run(const Params& p) {
    const auto code = static_cast<uint32_t>(thread());
    p.fp8[code] = decode_fp8(code);
    p.fp4[code] = decode_fp4(code);
    p.scales[code] = decode_scale(code);
    p.inverse[code] = inverse_scale(decode_scale(code));
  }
};

// Numbers next to where a format changes its mind, and any others.
std::vector<float> telling_floats(Random& random) {
  std::vector<float> x = {0.0F, -0.0F, NAN, -NAN, INFINITY, -INFINITY, 448.0F, 1e-4F, 1e-40F};
  for (int exponent = -130; exponent < 128; ++exponent) {
    for (int eighths = 16; eighths < 32; ++eighths) {
      const float v = std::ldexp(static_cast<float>(eighths), exponent - 4);
      for (const float near : {v, std::nextafter(v, 0.0F), std::nextafter(v, INFINITY)}) {
        x.push_back(near);
        x.push_back(-near);
      }
    }
  }
  for (int i = 0; i < 20000; ++i) {
    x.push_back(std::bit_cast<float>(static_cast<uint32_t>(random.integer(0, 0xffffffffLL))));
    x.push_back(std::ldexp(random.normal(), static_cast<int>(random.integer(-12, 10))));
  }
  return x;
}

}  // namespace

TEST_CASE("lanes round through the checkpoint's formats as the processor does") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  const std::vector<float> x = telling_floats(random);
  const auto n = static_cast<int64_t>(x.size());
  OnDevice device;
  auto* fp8 = device.put(std::vector<uint8_t>(x.size(), 0x55));
  auto* fp4 = device.put(std::vector<uint8_t>(x.size(), 0x55));
  auto* bf16 = device.put(std::vector<uint16_t>(x.size(), 0x55));
  float* fp8_scale = device.poisoned_floats(n);
  float* fp4_scale = device.poisoned_floats(n);
  launch<RoundingKernel>(device.stream(), {3, 1, 256},
                         {device.put(x), n, fp8, fp4, bf16, fp8_scale, fp4_scale});
  const auto got8 = device.get(fp8, n);
  const auto got4 = device.get(fp4, n);
  const auto got16 = device.get(bf16, n);
  const auto scale8 = device.get(fp8_scale, n);
  const auto scale4 = device.get(fp4_scale, n);
  const auto same = [](float a, float b) {
    return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b);
  };
  for (size_t i = 0; i < x.size(); ++i) {
    INFO("of " << x[i]);
    REQUIRE(got8[i] == encode_e4m3(x[i]));
    REQUIRE(got4[i] == encode_e2m1(x[i]));
    REQUIRE(got16[i] == encode_bf16(x[i]));
    const float amax = std::isnan(x[i]) ? x[i] : std::fabs(x[i]);
    REQUIRE(same(scale8[i], fp8_block_scale(amax)));
    REQUIRE(same(scale4[i], fp4_block_scale(amax)));
  }
}

TEST_CASE("lanes read every code as the processor does") {
  OnDevice device;
  float* out[4] = {};
  for (float*& o : out) o = device.poisoned_floats(256);
  launch<DecodingKernel>(device.stream(), {1, 1, 256}, {out[0], out[1], out[2], out[3]});
  std::vector<float> fp8, fp4, scales;
  for (int i = 0; i < 256; ++i) {
    const auto code = static_cast<uint8_t>(i);
    fp8.push_back(decode_e4m3(code));
    fp4.push_back(decode_e2m1(code & 15));
    scales.push_back(decode_e8m0(code));
  }
  require_close(device.get(out[0], 256), fp8, 0);
  require_close(device.get(out[1], 256), fp4, 0);
  require_close(device.get(out[2], 256), scales, 0);
  const std::vector<float> inverse = device.get(out[3], 256);
  for (size_t i = 1; i < 254; ++i) CHECK(inverse[i] == 1.0F / scales[i]);
  CHECK(std::isnan(inverse[255]));
}
