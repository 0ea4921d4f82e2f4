#include "kernels/cuda/launch.h"
#include "kernels/embedding/embedding_cuda.h"

namespace dsv4::kernels::cuda {
namespace {

struct EmbedKernel {
  using Params = EmbedParams;
  static constexpr const char* kName = "embed";
  static constexpr int kThreads = 256;

  static DSV4_LANE float number(const WeightMatrix& table, int64_t at) {
    if (table.format == WeightFormat::kF32) return static_cast<const float*>(table.data)[at];
    return bf16_to_float(static_cast<const uint16_t*>(table.data)[at]);
  }

  static DSV4_LANE void run(const Params& p) {
    const int64_t dim = p.table.cols;
    const int64_t token = block_x();
    float* x = p.x + token * p.streams * dim;
    for (int64_t i = thread(); i < dim; i += threads()) {
      const float value = number(p.table, p.ids[token] * dim + i);
      for (int64_t j = 0; j < p.streams; ++j) x[j * dim + i] = value;
    }
  }
};

}  // namespace

void embed(Stream& stream, const EmbedParams& p) {
  launch<EmbedKernel>(stream, {p.tokens, 1, EmbedKernel::kThreads}, p);
}

}  // namespace dsv4::kernels::cuda
