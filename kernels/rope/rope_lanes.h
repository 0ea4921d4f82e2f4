#pragma once

#include <cmath>

#include "kernels/cuda/lane.h"

namespace dsv4::kernels::cuda {

// cos and sin of a pair's angle at a position, as fill_rope_table has them: the angle rounded to a
// float first, its functions in double precision, because it is large.
struct Turn {
  float cos = 1.0F;
  float sin = 0.0F;
};
DSV4_LANE Turn turn_at(int64_t position, float frequency) {
  const float angle = static_cast<float>(position) * frequency;
  return {static_cast<float>(cos(double{angle})), static_cast<float>(sin(double{angle}))};
}

// The pair x[0], x[1] turned.
DSV4_LANE void rotate(float* x, Turn turn) {
  const float a = x[0];
  const float b = x[1];
  x[0] = a * turn.cos - b * turn.sin;
  x[1] = b * turn.cos + a * turn.sin;
}

}  // namespace dsv4::kernels::cuda
