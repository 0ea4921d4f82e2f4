#pragma once

#include <cstdint>

#include "kernels/cuda/device.h"

namespace dsv4::kernels::cuda {

// Hyper-connections (hyper_connections.h) as the card computes them: everything before a site in
// one launch, everything after it in another. All pointers are to the device's memory.

// From the streams to a site's input (deepseek-v4.md section 3):
//   m = fn @ u * rsqrt(mean(u^2) + rms_eps), u the token's streams one after another;
//   pre, post and comb of it; y = RMSNorm(sum_j pre_j * x_j).
// At the head m has hc numbers, of which only pre is made, with scale[0].
struct HyperEnterParams {
  const float* x = nullptr;  // [tokens, hc, dim]
  int64_t tokens = 0;
  int64_t streams = 0;  // hc, at most 32
  int64_t dim = 0;
  const float* fn = nullptr;      // [(2+hc)*hc, hc*dim]; at the head [hc, hc*dim]
  const float* base = nullptr;    // [(2+hc)*hc] or [hc]
  const float* scale = nullptr;   // [3] or [1]
  const float* weight = nullptr;  // [dim], of the norm
  float rms_eps = 0.0F;
  float eps = 0.0F;        // hc_eps
  int64_t iterations = 0;  // hc_sinkhorn_iters
  bool head = false;
  void* scratch = nullptr;  // hyper_enter_scratch_bytes, zeros before the first use; left so that
                            // it serves again
  float* post = nullptr;  // [tokens, hc]; not at the head
  float* comb = nullptr;  // [tokens, hc, hc]; not at the head
  float* y = nullptr;     // [tokens, dim]
};

int64_t hyper_enter_scratch_bytes(int64_t tokens, int64_t streams, int64_t dim);
void hyper_enter(Stream& stream, const HyperEnterParams& p);

// hyper_expand: x'_k = post_k * z + sum_j comb[j][k] * x_j, in place.
struct HyperLeaveParams {
  float* x = nullptr;           // [tokens, hc, dim]
  const float* z = nullptr;     // [tokens, dim]
  const float* post = nullptr;  // [tokens, hc]
  const float* comb = nullptr;  // [tokens, hc, hc]
  int64_t tokens = 0;
  int64_t streams = 0;
  int64_t dim = 0;
};

void hyper_leave(Stream& stream, const HyperLeaveParams& p);

}  // namespace dsv4::kernels::cuda
