#pragma once

#include "kernels/cuda/lane.h"

namespace dsv4::kernels::cuda {

// One number of kernels/swiglu/swiglu.h; NaN passes through both clamps. A limit of 0 is none.
DSV4_LANE float swiglu_of(float g, float u, float limit, float weight) {
  if (limit > 0.0F) {
    if (g > limit) g = limit;
    if (u > limit) u = limit;
    if (u < -limit) u = -limit;
  }
  return weight * (g / (1.0F + expf(-g))) * u;
}

}  // namespace dsv4::kernels::cuda
