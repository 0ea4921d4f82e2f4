#include <vector>

#include "kernels/matmul/matmul.h"
#include "kernels/matmul/weight.h"
#include "kernels/rounding/rounding.h"

namespace dsv4::kernels {

void matmul_reference(const MatmulParams& p) {
  const int64_t rows = p.weight.rows;
  const int64_t cols = p.weight.cols;
  std::vector<float> x(static_cast<size_t>(cols));
  for (int64_t t = 0; t < p.tokens; ++t) {
    x.assign(p.x + t * cols, p.x + (t + 1) * cols);
    if (p.rounding == ActivationRounding::kFp8Block128) round_fp8_blocks(x.data(), cols, 128);
    for (int64_t r = 0; r < rows; ++r) {
      double sum = 0;
      for (int64_t c = 0; c < cols; ++c) {
        sum += static_cast<double>(x[static_cast<size_t>(c)]) * weight_at(p.weight, r, c);
      }
      p.y[t * rows + r] = static_cast<float>(sum);
    }
  }
}

}  // namespace dsv4::kernels
