#include "kernels/cuda/launch.h"
#include "kernels/rms_norm/rms_norm_cuda.h"

namespace dsv4::kernels::cuda {
namespace {

// A block for each row.
struct RmsNormKernel {
  using Params = RmsNormParams;
  static constexpr const char* kName = "rms_norm";
  static constexpr int kThreads = 256;

  static DSV4_LANE void run(const Params& p) {
    auto* sums = reinterpret_cast<float*>(shared_memory());
    const float* x = p.x + block_x() * p.dim;
    float* y = p.y + block_x() * p.dim;
    float squares = 0.0F;
    for (int64_t i = thread(); i < p.dim; i += threads()) squares += x[i] * x[i];
    const float mean = block_sum(squares, sums) / static_cast<float>(p.dim);
    const float factor = 1.0F / sqrtf(mean + p.eps);
    for (int64_t i = thread(); i < p.dim; i += threads()) {
      y[i] = x[i] * factor * (p.weight != nullptr ? p.weight[i] : 1.0F);
    }
  }
};

}  // namespace

void rms_norm(Stream& stream, const RmsNormParams& p) {
  launch<RmsNormKernel>(stream, {p.rows, 1, RmsNormKernel::kThreads, kWarp * sizeof(float)}, p);
}

}  // namespace dsv4::kernels::cuda
