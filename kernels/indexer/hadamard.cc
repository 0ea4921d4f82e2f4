#include "kernels/indexer/hadamard.h"

#include <bit>
#include <cmath>
#include <vector>

namespace dsv4::kernels {

void hadamard_reference(float* x, int64_t rows, int64_t dim) {
  std::vector<double> y(static_cast<size_t>(dim));
  for (int64_t row = 0; row < rows; ++row) {
    float* v = x + row * dim;
    for (int64_t i = 0; i < dim; ++i) {
      double sum = 0.0;
      for (int64_t j = 0; j < dim; ++j) {
        const bool minus = std::popcount(static_cast<uint64_t>(i & j)) % 2 != 0;
        sum += minus ? -double{v[j]} : double{v[j]};
      }
      y[static_cast<size_t>(i)] = sum / std::sqrt(static_cast<double>(dim));
    }
    for (int64_t i = 0; i < dim; ++i) v[i] = static_cast<float>(y[static_cast<size_t>(i)]);
  }
}

void hadamard(float* x, int64_t rows, int64_t dim) {
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(dim)));
  for (int64_t row = 0; row < rows; ++row) {
    float* v = x + row * dim;
    for (int64_t half = 1; half < dim; half *= 2) {
      for (int64_t block = 0; block < dim; block += 2 * half) {
        for (int64_t i = block; i < block + half; ++i) {
          const float a = v[i];
          const float b = v[i + half];
          v[i] = a + b;
          v[i + half] = a - b;
        }
      }
    }
    for (int64_t i = 0; i < dim; ++i) v[i] *= scale;
  }
}

}  // namespace dsv4::kernels
