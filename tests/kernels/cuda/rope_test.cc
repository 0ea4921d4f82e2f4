#include "kernels/rope/rope_cuda.h"
#include "tests/kernels/cuda/chunk.h"

using namespace dsv4::kernels;

TEST_CASE("the card turns by the angles of any position of a million") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  std::vector<int64_t> positions = {0, 1, 2, 131071, (1 << 20) - 1, 1 << 20};
  while (positions.size() < 60) positions.push_back(random.integer(0, 1 << 20));
  const std::vector<float> frequencies = rope_frequencies({64, 160000.0, 16.0, 65536.0});
  const RopeTable expected = rope_table(frequencies, positions);
  OnDevice device;
  const auto n = static_cast<int64_t>(expected.cos.size());
  float* cos = device.poisoned_floats(n);
  float* sin = device.poisoned_floats(n);
  cuda::fill_turns(device.stream(), {device.put(frequencies), 32, device.put(positions),
                                     static_cast<int64_t>(positions.size()), cos, sin});
  const auto got_cos = device.get(cos, n);
  const auto got_sin = device.get(sin, n);
  for (size_t i = 0; i < expected.cos.size(); ++i) {
    INFO("pair " << i % 32 << " at " << positions[i / 32]);
    REQUIRE(std::fabs(got_cos[i] - expected.cos[i]) < 1e-6F);
    REQUIRE(std::fabs(got_sin[i] - expected.sin[i]) < 1e-6F);
  }
}

TEST_CASE("the card's rotation matches the reference, forward and back") {
  Random random;
  INFO("DSV4_SEED=" << random.seed());
  const int64_t tokens = 5, heads = 3, dim = 20;
  for (const int64_t rope_dim : {0, 2, 14, 20}) {
    const std::vector<float> frequencies = rope_frequencies({rope_dim, 10000.0});
    RopeTable table = rope_table(frequencies, {3, 4, 900, 7, 65000});
    const std::vector<float> x = normals(random, tokens * heads * dim);
    for (const bool back : {false, true}) {
      std::vector<float> expected = x;
      rope_reference({expected.data(), tokens * heads, dim, rope_dim, heads, &table, back});
      OnDevice device;
      float* got = device.put(x);
      cuda::turn_rows(device.stream(), {got,
                                        tokens * heads,
                                        dim,
                                        rope_dim,
                                        heads,
                                        {device.put(table.cos), device.put(table.sin)},
                                        back});
      require_close(device.get(got, tokens * heads * dim), expected, 1e-6);
    }
  }
}
