#pragma once

#include <cstdint>

#include "kernels/parallel/isa.h"
#include "kernels/parallel/thread_pool.h"

namespace dsv4::kernels {

// y = weight * silu(min(g, limit)) * clamp(u, -limit, limit), the clamps before the activation
// (deepseek-v4.md section 3, MoE).
struct SwigluParams {
  const float* g = nullptr;  // [rows, dim]
  const float* u = nullptr;  // [rows, dim]
  int64_t rows = 0;
  int64_t dim = 0;
  const float* weight = nullptr;  // [rows]; null for 1
  float limit = 0.0F;             // 0 for none
  float* y = nullptr;             // [rows, dim]; may be g
};

void swiglu_reference(const SwigluParams& p);  // double precision
void swiglu(ThreadPool& pool, Isa isa, const SwigluParams& p);

}  // namespace dsv4::kernels
