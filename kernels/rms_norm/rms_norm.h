#pragma once

#include <cstdint>

#include "kernels/parallel/isa.h"
#include "kernels/parallel/thread_pool.h"

namespace dsv4::kernels {

// y = x * rsqrt(mean(x^2) + eps) * weight, row by row.
struct RmsNormParams {
  const float* x = nullptr;  // [rows, dim]
  int64_t rows = 0;
  int64_t dim = 0;
  const float* weight = nullptr;  // [dim]; null for none
  float eps = 0.0F;
  float* y = nullptr;  // [rows, dim]; may be x
};

void rms_norm_reference(const RmsNormParams& p);
void rms_norm(ThreadPool& pool, Isa isa, const RmsNormParams& p);

// rsqrt(mean(x^2) + eps) of one row.
float inverse_rms(Isa isa, const float* x, int64_t dim, float eps);

}  // namespace dsv4::kernels
