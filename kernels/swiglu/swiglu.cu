#include <cmath>

#include "kernels/cuda/launch.h"
#include "kernels/swiglu/swiglu_cuda.h"
#include "kernels/swiglu/swiglu_lanes.h"

namespace dsv4::kernels::cuda {
namespace {

struct SwigluKernel {
  using Params = SwigluParams;
  static constexpr const char* kName = "swiglu";
  static constexpr int kThreads = 256;

  static DSV4_LANE void run(const Params& p) {
    const int64_t i = int64_t{block_x()} * kThreads + thread();
    if (i >= p.rows * p.dim) return;
    p.y[i] = swiglu_of(p.g[i], p.u[i], p.limit, p.weight != nullptr ? p.weight[i / p.dim] : 1.0F);
  }
};

}  // namespace

void swiglu(Stream& stream, const SwigluParams& p) {
  constexpr int kThreads = SwigluKernel::kThreads;
  launch<SwigluKernel>(stream, {(p.rows * p.dim + kThreads - 1) / kThreads, 1, kThreads}, p);
}

}  // namespace dsv4::kernels::cuda
