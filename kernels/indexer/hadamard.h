#pragma once

#include <cstdint>

namespace dsv4::kernels {

// The normalised Walsh-Hadamard transform of each row, in place: its own inverse, and it keeps
// lengths and products. dim is a power of two.
void hadamard_reference(float* x, int64_t rows, int64_t dim);  // from the definition, O(dim^2)
void hadamard(float* x, int64_t rows, int64_t dim);

}  // namespace dsv4::kernels
