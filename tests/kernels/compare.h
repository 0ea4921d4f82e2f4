#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "kernels/parallel/isa.h"
#include "tests/catch.h"
#include "tests/kernels/random.h"

// What parity tests of the kernels share: outputs start out poisoned, so that a value never written
// shows, and NaN must be where the reference has it.

inline std::vector<float> poisoned(int64_t n) {
  return std::vector<float>(static_cast<size_t>(n), std::numeric_limits<float>::quiet_NaN());
}

inline std::vector<float> normals(Random& random, int64_t n, float scale = 1.0F) {
  std::vector<float> out(static_cast<size_t>(n));
  for (float& v : out) v = scale * random.normal();
  return out;
}

inline void require_close(const std::vector<float>& got, const std::vector<float>& expected,
                          double tolerance) {
  REQUIRE(got.size() == expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    INFO("at " << i << ": " << got[i] << " where the reference has " << expected[i]);
    REQUIRE(std::isnan(got[i]) == std::isnan(expected[i]));
    if (std::isnan(got[i])) continue;
    REQUIRE(std::fabs(double{got[i]} - double{expected[i]}) <=
            tolerance * (1.0 + std::fabs(double{expected[i]})));
  }
}

// The instruction sets that can run here, weakest first.
inline std::vector<dsv4::kernels::Isa> isas() {
  using dsv4::kernels::Isa;
  std::vector<Isa> out;
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Bf16}) {
    if (isa <= dsv4::kernels::detect_isa()) out.push_back(isa);
  }
  return out;
}
