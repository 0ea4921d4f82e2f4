#pragma once

#include "kernels/indexer/indexer_cuda.h"
#include "kernels/packed_rows/packed_rows_lanes.h"
#include "kernels/rope/rope_lanes.h"

namespace dsv4::kernels::cuda {

// A warp for each query, in shared memory.
struct FinishIndexKernel {
  using Params = FinishIndexParams;
  static constexpr const char* kName = "finish_index";
  static constexpr int kWarps = 8;
  static constexpr int kThreads = kWarps * kWarp;

  static int64_t blocks(const Params& p) { return (p.tokens * p.heads + kWarps - 1) / kWarps; }
  static int64_t shared_bytes(const Params& p) {
    return kWarps * p.dim * static_cast<int64_t>(sizeof(float));
  }

  static DSV4_LANE void run(const Params& p) { run_block(p, block_x()); }
  static DSV4_LANE void run_block(const Params& p, int64_t block) {
    const int64_t row = block * kWarps + warp();
    if (row >= p.tokens * p.heads) return;
    const auto dim = static_cast<int>(p.dim);
    float* x = reinterpret_cast<float*>(shared_memory()) + warp() * dim;
    float* q = p.q + row * dim;
    for (int c = lane(); c < dim; c += kWarp) x[c] = q[c];
    sync_warp();
    const auto pairs = static_cast<int>(p.rope_dim / 2);
    for (int i = lane(); i < pairs; i += kWarp) {
      const int64_t at = row / p.heads * pairs + i;
      rotate(x + dim - 2 * pairs + 2 * i, {p.turns.cos[at], p.turns.sin[at]});
    }
    sync_warp();
    if (p.rounds) {
      transform(x, dim);
      for (int at = 0; at < dim; at += kFp4RowBlock) {
        const int c = at + lane();
        const float v = c < dim ? x[c] : 0.0F;
        const float scale = block_scale_of<Fp4Lanes>(warp_magnitude(v));
        if (c < dim) x[c] = nearest_of<Fp4Lanes>(v * inverse_scale(scale)) * scale;
      }
    }
    for (int c = lane(); c < dim; c += kWarp) q[c] = x[c];
    if (lane() == 0) p.weights[row] *= 1.0F / sqrtf(static_cast<float>(p.dim * p.heads));
  }

  static DSV4_LANE void transform(float* x, int dim) {
    for (int half = 1; half < dim; half *= 2) {
      for (int i = lane(); i < dim / 2; i += kWarp) {
        const int at = i / half * 2 * half + i % half;
        const float a = x[at];
        const float b = x[at + half];
        x[at] = a + b;
        x[at + half] = a - b;
      }
      sync_warp();
    }
    const float scale = 1.0F / sqrtf(static_cast<float>(dim));
    for (int c = lane(); c < dim; c += kWarp) x[c] *= scale;
    sync_warp();
  }
};

}  // namespace dsv4::kernels::cuda
