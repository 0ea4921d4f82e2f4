#pragma once

#include <cstdint>

#include "kernels/matmul/matmul.h"

namespace dsv4::kernels {

// What one instruction set computes: some rows of a product, on activations that were prepared
// once for all rows (activation.h).

// Columns are taken in steps of 32; activations are padded with zeros to whole steps.
inline constexpr int kStepCols = 32;

// The unit of work for threads. It divides 128, so that a unit lies in one row of FP8 blocks.
inline constexpr int kRowBlock = 16;

// The element type of prepared activations.
enum class ActivationType { kF32, kBf16 };

struct RowKernelArgs {
  WeightMatrix weight;
  const void* x = nullptr;  // [tokens, x_stride] of the kernel's element type
  int64_t x_stride = 0;     // in elements
  int64_t tokens = 0;
  float* y = nullptr;  // [tokens, weight.rows]
};

// Computes y[:, row_begin..row_end).
using RowKernel = void (*)(const RowKernelArgs& args, int64_t row_begin, int64_t row_end);

struct KernelTable {
  ActivationType activations = ActivationType::kF32;
  RowKernel by_format[4] = {};  // indexed by WeightFormat; null where there is none
  // Where an FP4 step keeps its columns: decoding leaves column fp4_order[i] in place i, and the
  // activations follow, so that no shuffle has to put them back.
  const uint8_t* fp4_order = nullptr;
};

// Null where the compiler or the target has no such instructions.
const KernelTable* scalar_kernels();
const KernelTable* avx2_kernels();
const KernelTable* avx512_kernels();
const KernelTable* avx512_bf16_kernels();

// The strongest table of at most `isa` that computes this product exactly: bf16 arithmetic only
// where both factors are bf16 numbers, that is with FP8-rounded activations.
const KernelTable& choose_kernels(Isa isa, const MatmulParams& p);

}  // namespace dsv4::kernels
