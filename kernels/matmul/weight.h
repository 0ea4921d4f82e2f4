#pragma once

#include "kernels/matmul/matmul.h"

namespace dsv4::kernels {

// One number of a weight matrix, scale included. The plain statement of each format: slow.
double weight_at(const WeightMatrix& w, int64_t row, int64_t col);

}  // namespace dsv4::kernels
