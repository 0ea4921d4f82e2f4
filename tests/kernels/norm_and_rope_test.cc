#include "kernels/rms_norm/rms_norm.h"
#include "kernels/rope/rope.h"
#include "kernels/swiglu/swiglu.h"
#include "tests/kernels/compare.h"

using namespace dsv4::kernels;

TEST_CASE("rms_norm equals its reference, with and without weights") {
  Random random;
  INFO("seed " << random.seed());
  ThreadPool pool(3);
  for (const int64_t dim : {1, 7, 16, 96, 513}) {
    const std::vector<float> x = normals(random, 40 * dim, 3.0F);
    const std::vector<float> weight = normals(random, dim);
    for (const float* w : {weight.data(), static_cast<const float*>(nullptr)}) {
      std::vector<float> expected = poisoned(40 * dim);
      rms_norm_reference({x.data(), 40, dim, w, 1e-6F, expected.data()});
      for (const Isa isa : isas()) {
        std::vector<float> got = poisoned(40 * dim);
        rms_norm(pool, isa, {x.data(), 40, dim, w, 1e-6F, got.data()});
        require_close(got, expected, 1e-5);
      }
    }
  }
}

TEST_CASE("rope turns interleaved pairs of the last channels and back") {
  Random random;
  INFO("seed " << random.seed());
  ThreadPool pool(2);
  const std::vector<float> frequencies = rope_frequencies({8, 10000.0, 1.0, 0.0, 32.0, 1.0});
  RopeTable table;
  const std::vector<int64_t> positions = {0, 1, 5, 100000};
  fill_rope_table(frequencies, positions, table);
  const std::vector<float> x = normals(random, 4 * 3 * 12);
  std::vector<float> expected = x;
  rope_reference({expected.data(), 12, 12, 8, 3, &table, false});
  std::vector<float> got = x;
  rope(pool, {got.data(), 12, 12, 8, 3, &table, false});
  require_close(got, expected, 1e-6);
  for (size_t i = 0; i < x.size(); ++i) {
    if (i / 36 == 0 || i % 12 < 4) REQUIRE(got[i] == x[i]);  // position 0, or not rotated
  }
  // Pair 0 of position 1 turns by one radian: channel 0 becomes a cos 1 - b sin 1.
  const size_t row = 3 * 12 + 4;
  REQUIRE(got[row] == Approx(x[row] * std::cos(1.0) - x[row + 1] * std::sin(1.0)).margin(1e-6));
  rope(pool, {got.data(), 12, 12, 8, 3, &table, true});
  require_close(got, x, 1e-5);
}

TEST_CASE("YaRN keeps fast pairs, divides slow ones and has no temperature") {
  const RopeSettings plain{64, 160000.0, 1.0, 0.0, 32.0, 1.0};
  RopeSettings yarn = plain;
  yarn.factor = 16.0;
  yarn.original_length = 65536.0;
  const std::vector<float> before = rope_frequencies(plain);
  const std::vector<float> after = rope_frequencies(yarn);
  REQUIRE(after[0] == before[0]);
  REQUIRE(after[31] == Approx(before[31] / 16));
  for (size_t i = 1; i < 32; ++i) {
    REQUIRE(after[i] <= before[i]);
    REQUIRE(after[i] >= before[i] / 16.001F);
  }
  RopeTable table;
  fill_rope_table(after, std::vector<int64_t>{777}, table);
  for (size_t i = 0; i < 32; ++i) {
    const double length = std::hypot(double{table.cos[i]}, double{table.sin[i]});
    REQUIRE(length == Approx(1.0).margin(1e-6));
  }
}

TEST_CASE("swiglu clamps before the activation and equals its reference") {
  Random random;
  INFO("seed " << random.seed());
  ThreadPool pool(2);
  for (const int64_t dim : {5, 8, 44, 100}) {
    std::vector<float> g = normals(random, 9 * dim, 8.0F);
    std::vector<float> u = normals(random, 9 * dim, 8.0F);
    g[1] = 100.0F;
    g[2] = -200.0F;
    u[3] = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> weight = normals(random, 9);
    for (const float limit : {0.0F, 7.0F}) {
      std::vector<float> expected = poisoned(9 * dim);
      swiglu_reference({g.data(), u.data(), 9, dim, weight.data(), limit, expected.data()});
      for (const Isa isa : isas()) {
        std::vector<float> got = poisoned(9 * dim);
        swiglu(pool, isa, {g.data(), u.data(), 9, dim, weight.data(), limit, got.data()});
        require_close(got, expected, 1e-5);
      }
    }
  }
  const float g = 50.0F;
  const float u = -50.0F;
  float y = 0.0F;
  swiglu_reference({&g, &u, 1, 1, nullptr, 2.0F, &y});
  REQUIRE(y == Approx(2.0 / (1.0 + std::exp(-2.0)) * -2.0));
}
