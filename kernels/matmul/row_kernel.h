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

struct RowKernelArgs {
  WeightMatrix weight;
  const void* x = nullptr;  // [tokens, x_stride], prepared
  int64_t x_stride = 0;     // in elements
  int64_t tokens = 0;
  float* y = nullptr;  // [tokens, weight.rows]
};

// Computes y[:, row_begin..row_end).
using RowKernel = void (*)(const RowKernelArgs& args, int64_t row_begin, int64_t row_end);

// One token's activations from the caller's f32 row to what row kernels read: rounded, padded with
// zeros to whole steps, in the kernel's element type, and the columns of each step where decoding
// leaves them, so that no shuffle has to put them back for every row.
using PrepareRow = void (*)(const float* x, int64_t cols, ActivationRounding rounding, void* to);

struct FormatKernels {
  RowKernel multiply = nullptr;  // null where there is none
  PrepareRow prepare = nullptr;
  bool reads_plain_rows = false;  // unrounded rows of whole steps need no preparation
};

struct KernelTable {
  int64_t element_bytes = 4;   // of a prepared activation
  FormatKernels by_format[4];  // indexed by WeightFormat
};

// Null where the compiler or the target has no such instructions.
const KernelTable* scalar_kernels();
const KernelTable* avx2_kernels();
const KernelTable* avx512_kernels();
const KernelTable* avx512_bf16_kernels();
const KernelTable* avx512_bytes_kernels();  // the former's decoding, f32 arithmetic

// The strongest table of at most `isa` that computes this product exactly: bf16 arithmetic only
// where both factors are bf16 numbers, that is with FP8-rounded activations.
const KernelTable& choose_kernels(Isa isa, const MatmulParams& p);

}  // namespace dsv4::kernels
