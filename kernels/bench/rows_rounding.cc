#include <vector>

#include "kernels/bench/rows.h"
#include "kernels/rounding/rounding.h"

namespace dsv4::kernels::bench {

void add_rounding_rows(Bench& bench) {
  constexpr int64_t kValues = 64 * 4096;
  const std::vector<float> x(kValues, 0.37f);
  std::vector<float> y = x;
  const double bytes = 4.0 * kValues;
  bench.row({"round fp8", "64x4096", bytes, 0, [&] { round_fp8_blocks(y.data(), kValues, 128); }});
  y = x;
  bench.row({"round fp4", "64x4096", bytes, 0, [&] { round_fp4_blocks(y.data(), kValues, 32); }});
}

}  // namespace dsv4::kernels::bench
