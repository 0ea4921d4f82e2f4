#include "kernels/matmul/matmul.h"

#include <algorithm>
#include <vector>

#include "kernels/matmul/weight.h"
#include "kernels/rounding/rounding.h"

namespace dsv4::kernels {

void matmul(ThreadPool& pool, Isa, const MatmulParams& p) {
  const int64_t rows = p.weight.rows;
  const int64_t cols = p.weight.cols;
  const float* x = p.x;
  std::vector<float> rounded;
  if (p.rounding == ActivationRounding::kFp8Block128) {
    rounded.assign(p.x, p.x + p.tokens * cols);
    for (int64_t t = 0; t < p.tokens; ++t) round_fp8_blocks(&rounded[t * cols], cols, 128);
    x = rounded.data();
  }
  pool.parallel_for(rows, 4, [&](int64_t begin, int64_t end) {
    std::vector<float> w(static_cast<size_t>(cols));
    for (int64_t r = begin; r < end; ++r) {
      for (int64_t c = 0; c < cols; ++c) w[c] = static_cast<float>(weight_at(p.weight, r, c));
      for (int64_t t = 0; t < p.tokens; ++t) {
        float lanes[8] = {};
        int64_t c = 0;
        for (; c + 8 <= cols; c += 8) {
          for (int i = 0; i < 8; ++i) lanes[i] += w[c + i] * x[t * cols + c + i];
        }
        for (int i = 0; c < cols; ++c, ++i) lanes[i] += w[c] * x[t * cols + c];
        float sum = 0;
        for (const float lane : lanes) sum += lane;
        p.y[t * rows + r] = sum;
      }
    }
  });
}

}  // namespace dsv4::kernels
