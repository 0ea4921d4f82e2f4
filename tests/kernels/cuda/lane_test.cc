#include "kernels/cuda/lane.h"

#include "kernels/cuda/launch.h"
#include "kernels/rounding/rounding.h"
#include "tests/kernels/cuda/on_device.h"

// What kernels are written in, itself.

using namespace dsv4::kernels;
using namespace dsv4::kernels::cuda;

namespace {

struct ExchangeKernel {
  struct Params {
    int32_t* sums;     // [blocks]
    uint32_t* ballot;  // [blocks]
    float* total;      // [blocks]
  };
  static constexpr const char* kName = "exchange";
  static constexpr int kThreads = 64;
  static DSV4_LANE void run(const Params& p) {
    auto* shared = reinterpret_cast<float*>(shared_memory());
    const float total = block_sum(static_cast<float>(thread()), shared);
    const uint32_t odd = ballot(thread() % 2 == 1);
    add_whole(p.sums + block_x(), shuffle(thread(), 3));
    if (thread() == 0) {
      p.ballot[block_x()] = odd;
      p.total[block_x()] = total;
    }
  }
};

struct ProductKernel {
  struct Params {
    const uint16_t* a;  // [16, 16] row-major
    const uint16_t* b;  // [8, 16]: column by column
    float* d;           // [16, 8]
  };
  static constexpr const char* kName = "product";
  static constexpr int kThreads = 32;
  static DSV4_LANE uint32_t pair(const uint16_t* at) {
    return at[0] | static_cast<uint32_t>(at[1]) << 16;
  }
  static DSV4_LANE void run(const Params& p) {
    const int g = lane() / 4;
    const int t = lane() % 4;
    const uint32_t a[4] = {pair(p.a + g * 16 + 2 * t), pair(p.a + (g + 8) * 16 + 2 * t),
                           pair(p.a + g * 16 + 2 * t + 8), pair(p.a + (g + 8) * 16 + 2 * t + 8)};
    const uint32_t b[2] = {pair(p.b + g * 16 + 2 * t), pair(p.b + g * 16 + 2 * t + 8)};
    float d[4] = {};
    multiply_f16(d, a, b);
    for (int i = 0; i < 4; ++i) p.d[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = d[i];
  }
};

struct MatricesKernel {
  struct Params {
    const uint16_t* numbers;  // [16, 16]
    uint32_t* plain;          // [32, 4]
    uint32_t* transposed;     // [32, 4]
  };
  static constexpr const char* kName = "matrices";
  static constexpr int kThreads = 32;
  static DSV4_LANE void run(const Params& p) {
    auto* shared = reinterpret_cast<uint16_t*>(shared_memory());
    begin_copy<16>(shared + 8 * lane(), p.numbers + 8 * lane(), 16);
    end_of_copies();
    wait_for_copies<0>();
    sync_warp();
    // Matrices: above left, below left, above right, below right.
    const uint16_t* row = shared + lane() % 16 * 16 + lane() / 16 * 8;
    uint32_t got[4];
    load_matrices(got, row);
    for (int i = 0; i < 4; ++i) p.plain[4 * lane() + i] = got[i];
    load_matrices_transposed(got, row);
    for (int i = 0; i < 4; ++i) p.transposed[4 * lane() + i] = got[i];
  }
};

struct BytesKernel {
  struct Params {
    const uint32_t* a;  // [16, 8]: 32 bytes a row
    const uint32_t* b;  // [8, 8]: column by column
    int32_t* d;         // [16, 8]
  };
  static constexpr const char* kName = "bytes";
  static constexpr int kThreads = 32;
  static DSV4_LANE void run(const Params& p) {
    const int g = lane() / 4;
    const int t = lane() % 4;
    const uint32_t a[4] = {p.a[g * 8 + t], p.a[(g + 8) * 8 + t], p.a[g * 8 + t + 4],
                           p.a[(g + 8) * 8 + t + 4]};
    const uint32_t b[2] = {p.b[g * 8 + t], p.b[g * 8 + t + 4]};
    int32_t d[4] = {1000, 1000, 1000, 1000};
    multiply_bytes(d, a, b);
    for (int i = 0; i < 4; ++i) p.d[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = d[i];
  }
};

struct HalvesKernel {
  struct Params {
    const float* x;    // [64]
    uint32_t* pairs;   // [32]
    uint32_t* square;  // [32]
  };
  static constexpr const char* kName = "halves";
  static constexpr int kThreads = 32;
  static DSV4_LANE void run(const Params& p) {
    const uint32_t pair = to_halves(p.x[2 * lane()], p.x[2 * lane() + 1]);
    p.pairs[lane()] = pair;
    p.square[lane()] = multiply_halves(pair, pair);
  }
};

struct CodesKernel {
  struct Params {
    float* fp8;           // [256]
    float* fp4;           // [512]: of each byte the low code, then the high one
    const float* floats;  // [256]
    uint16_t* halves;     // [256]
  };
  static constexpr const char* kName = "codes";
  static constexpr int kThreads = 256;
  static DSV4_LANE void run(const Params& p) {
    const auto code = static_cast<uint32_t>(thread());
    p.fp8[code] = half_to_float(static_cast<uint16_t>(fp8_to_half2(code))) * kFp8Up;
    const uint32_t two = fp4_to_half2(code);
    p.fp4[2 * code] = half_to_float(static_cast<uint16_t>(two)) * kFp4Up;
    p.fp4[2 * code + 1] = half_to_float(static_cast<uint16_t>(two >> 16)) * kFp4Up;
    p.halves[code] = float_to_half(p.floats[code]);
  }
};

struct CopyKernel {
  struct Params {
    const uint32_t* from;  // [32 * 8]
    uint32_t* first;       // [32 * 4]
    uint32_t* second;      // [32]
  };
  static constexpr const char* kName = "copies";
  static constexpr int kThreads = 32;
  static DSV4_LANE void run(const Params& p) {
    auto* shared = reinterpret_cast<uint32_t*>(shared_memory());
    begin_copy<16>(shared + 4 * thread(), p.from + 4 * thread(), thread() % 17);
    end_of_copies();
    begin_copy<4>(shared + 128 + thread(), p.from + 128 + thread(), thread() % 2 * 4);
    end_of_copies();
    wait_for_copies<1>();
    sync_block();
    const int other = 31 - thread();
    for (int i = 0; i < 4; ++i) p.first[4 * other + i] = shared[4 * other + i];
    wait_for_copies<0>();
    sync_block();
    p.second[other] = shared[128 + other];
  }
};

}  // namespace

TEST_CASE("lanes of a warp and a block exchange numbers") {
  OnDevice device;
  auto* sums = device.put(std::vector<int32_t>(3, 0));
  auto* odd = device.put(std::vector<uint32_t>(3, 0));
  float* total = device.poisoned_floats(3);
  launch<ExchangeKernel>(device.stream(), {3, 1, 64, 32 * 4}, {sums, odd, total});
  CHECK(device.get(sums, 3) == std::vector<int32_t>(3, 32 * 3 + 32 * 35));
  CHECK(device.get(odd, 3) == std::vector<uint32_t>(3, 0xaaaaaaaaU));
  CHECK(device.get(total, 3) == std::vector<float>(3, 63.0F * 32));
}

TEST_CASE("a tensor core's product is that of its fragments") {
  Random random;
  std::vector<uint16_t> a, b;
  std::vector<float> as, bs;
  const auto fill = [&](int n, std::vector<uint16_t>& bits, std::vector<float>& values) {
    for (int i = 0; i < n; ++i) {
      const auto code = static_cast<uint8_t>(random.integer(0, 0x7e));
      values.push_back(decode_e4m3(code) / kFp8Up);
      bits.push_back(static_cast<uint16_t>(fp8_to_half2(code)));
    }
  };
  fill(256, a, as);
  fill(128, b, bs);
  std::vector<float> expected(128, 0.0F);
  for (size_t i = 0; i < 128; ++i) {
    for (size_t k = 0; k < 16; ++k) expected[i] += as[i / 8 * 16 + k] * bs[i % 8 * 16 + k];
  }
  OnDevice device;
  float* d = device.poisoned_floats(128);
  launch<ProductKernel>(device.stream(), {1, 1, 32}, {device.put(a), device.put(b), d});
  require_close(device.get(d, 128), expected, 1e-6);
}

TEST_CASE("matrices of shared memory come into registers as products want them") {
  Random random;
  std::vector<uint16_t> numbers;
  for (int i = 0; i < 256; ++i) numbers.push_back(static_cast<uint16_t>(random.integer(0, 65535)));
  OnDevice device;
  auto* plain = device.put(std::vector<uint32_t>(128, 0));
  auto* transposed = device.put(std::vector<uint32_t>(128, 0));
  launch<MatricesKernel>(device.stream(), {1, 1, 32, 512},
                         {device.put(numbers), plain, transposed});
  const auto got = device.get(plain, 128);
  const auto turned = device.get(transposed, 128);
  const auto at = [&](size_t row, size_t column) { return uint32_t{numbers[row * 16 + column]}; };
  for (size_t lane = 0; lane < 32; ++lane) {
    for (size_t m = 0; m < 4; ++m) {
      const size_t row = m % 2 * 8;
      const size_t column = m / 2 * 8;
      const size_t g = lane / 4;
      const size_t t = lane % 4 * 2;
      CHECK(got[4 * lane + m] == (at(row + g, column + t) | at(row + g, column + t + 1) << 16));
      CHECK(turned[4 * lane + m] == (at(row + t, column + g) | at(row + t + 1, column + g) << 16));
    }
  }
}

TEST_CASE("a product of bytes is exact") {
  Random random;
  const auto bytes = [&](int64_t words) {
    std::vector<uint32_t> out;
    for (int64_t i = 0; i < words; ++i) {
      out.push_back(static_cast<uint32_t>(random.integer(0, 0xffffffffLL)));
    }
    return out;
  };
  const auto a = bytes(128);
  const auto b = bytes(64);
  const auto byte = [](const std::vector<uint32_t>& from, size_t row, size_t i) {
    return static_cast<int8_t>(from[row * 8 + i / 4] >> (8 * (i % 4)));
  };
  std::vector<int32_t> expected(128, 1000);
  for (size_t i = 0; i < 128; ++i) {
    for (size_t k = 0; k < 32; ++k) expected[i] += byte(a, i / 8, k) * byte(b, i % 8, k);
  }
  OnDevice device;
  auto* d = device.put(std::vector<int32_t>(128, 0));
  launch<BytesKernel>(device.stream(), {1, 1, 32}, {device.put(a), device.put(b), d});
  CHECK(device.get(d, 128) == expected);
}

TEST_CASE("two f16 numbers share a register, the first one low") {
  std::vector<float> x;
  for (int i = 0; i < 64; ++i) x.push_back(static_cast<float>(i - 30) / 8);
  OnDevice device;
  auto* pairs = device.put(std::vector<uint32_t>(32, 0));
  auto* squares = device.put(std::vector<uint32_t>(32, 0));
  launch<HalvesKernel>(device.stream(), {1, 1, 32}, {device.put(x), pairs, squares});
  const auto got = device.get(pairs, 32);
  const auto square = device.get(squares, 32);
  const auto number = [](uint32_t half) {
    if ((half & 0x7fffU) == 0) return 0.0F;
    const float size = std::ldexp(static_cast<float>(1024 + (half & 1023U)),
                                  static_cast<int>(half >> 10 & 31U) - 25);
    return (half & 0x8000U) != 0 ? -size : size;
  };
  for (size_t i = 0; i < 64; ++i) {
    const int shift = i % 2 == 0 ? 0 : 16;
    CHECK(number(got[i / 2] >> shift) == x[i]);
    CHECK(number(square[i / 2] >> shift) == x[i] * x[i]);
  }
}

TEST_CASE("codes of the checkpoint's formats become the numbers they stand for") {
  Random random;
  std::vector<float> floats = {0.0F, -0.0F, 65504.0F, 65520.0F, 1e30F, -1e-8F, 6e-8F, 3e-8F, 1.0F};
  while (floats.size() < 256) {
    floats.push_back(std::ldexp(random.normal(), static_cast<int>(random.integer(-26, 15))));
  }
  OnDevice device;
  float* fp8 = device.poisoned_floats(256);
  float* fp4 = device.poisoned_floats(512);
  auto* halves = device.put(std::vector<uint16_t>(256, 0xffff));
  launch<CodesKernel>(device.stream(), {1, 1, 256}, {fp8, fp4, device.put(floats), halves});
  const auto got8 = device.get(fp8, 256);
  const auto got4 = device.get(fp4, 512);
  const auto got16 = device.get(halves, 256);
  for (int i = 0; i < 256; ++i) {
    const auto at = static_cast<size_t>(i);
    INFO("code " << i << ", number " << floats[at]);
    if (i % 128 != 127) CHECK(got8[at] == decode_e4m3(static_cast<uint8_t>(i)));  // 127 is NaN
    CHECK(got4[2 * at] == decode_e2m1(static_cast<uint8_t>(i % 16)));
    CHECK(got4[2 * at + 1] == decode_e2m1(static_cast<uint8_t>(i / 16)));
#if defined(__FLT16_MAX__)
    CHECK(got16[at] == std::bit_cast<uint16_t>(static_cast<_Float16>(floats[at])));
#endif
  }
}

TEST_CASE("copies to shared memory are there once they are waited for, zeros beyond their end") {
  Random random;
  std::vector<uint32_t> from;
  for (int i = 0; i < 256; ++i) {
    from.push_back(static_cast<uint32_t>(random.integer(1, 0xffffffff)));
  }
  std::vector<uint32_t> first(128, 0), second(32, 0);
  for (size_t i = 0; i < 32; ++i) {
    std::memcpy(first.data() + 4 * i, from.data() + 4 * i, i % 17);
    if (i % 2 == 1) second[i] = from[128 + i];
  }
  OnDevice device;
  auto* got_first = device.put(std::vector<uint32_t>(128, 7));
  auto* got_second = device.put(std::vector<uint32_t>(32, 7));
  launch<CopyKernel>(device.stream(), {1, 1, 32, 160 * 4},
                     {device.put(from), got_first, got_second});
  CHECK(device.get(got_first, 128) == first);
  CHECK(device.get(got_second, 32) == second);
}
