#pragma once

#include <cstdint>
#include <span>

#include "kernels/cuda/device.h"
#include "kernels/matmul/matmul.h"

namespace dsv4::kernels::cuda {

// How a product's tokens are taken: eight at a time, which costs what reading the weights costs, or
// by the hundred, which costs what multiplying does. The result is the same bits.
enum class MatmulWay { kFaster, kFewTokens, kManyTokens };

// A product with all pointers on the device. Weights are read fastest where data is aligned to 16
// bytes and a row's bytes are a multiple of 16; anything else works.
struct Product : MatmulParams {
  int64_t x_stride = 0;                // floats from token to token; 0: cols
  int64_t y_stride = 0;                // floats from token to token; 0: rows
  MatmulWay way = MatmulWay::kFaster;  // as far as that is known (tiling.h)
};

// Memory of the device that a call may write to until its work is done. Too little of it throws
// std::invalid_argument.
struct Scratch {
  void* data = nullptr;  // aligned to 256
  int64_t bytes = 0;
};

// What a product of such an x takes. A batch takes the sum over its different x.
int64_t matmul_scratch_bytes(int64_t tokens, int64_t cols, ActivationRounding rounding);

// The products on the tensor cores, added up in float32. Weights and activations become bf16
// numbers without loss: FP8 and FP4 codes with their scales and rounded activations are such
// numbers, float32 is the sum of three, and of its products those below 2^-24 of the largest are
// left out. A token's result does not depend on how many tokens are computed together, nor on the
// other products (bit for bit).
//
// NaN and Inf come out as they do from matmul_reference, with three exceptions: a NaN code of an
// FP8 weight counts as +-480, an FP4 scale above 2^65 as NaN, and one below 2^-61 may lose its
// numbers.
//
// Consecutive products with the same x, tokens and rounding share its preparation. Throws
// std::invalid_argument for more than a million columns.
void matmul_batch(Stream& stream, std::span<const Product> products, Scratch scratch);
inline void matmul(Stream& stream, const MatmulParams& p, Scratch scratch,
                   MatmulWay way = MatmulWay::kFaster) {
  const Product one{p, 0, 0, way};
  matmul_batch(stream, {&one, 1}, scratch);
}

}  // namespace dsv4::kernels::cuda
