#pragma once

#include <cstdint>

namespace dsv4::kernels {

// What one instruction set computes of attention: a softmax that goes on by some rows.

inline constexpr int64_t kRowsAtOnce = 64;   // at most
inline constexpr int64_t kHeadsAtOnce = 16;  // at most

// Some heads of one token and what they have seen so far: the weights of a softmax are
// e^(score - top), `total` and `sums` add up weights and weighted rows.
struct SomeRows {
  const float* q = nullptr;  // [heads, dim]
  int64_t heads = 0;
  int64_t dim = 0;  // a multiple of the vector's width
  float scale = 0.0F;
  const float* const* rows = nullptr;  // [n] of [dim]
  int64_t n = 0;
  float* top = nullptr;    // [heads], finite
  float* total = nullptr;  // [heads]
  float* sums = nullptr;   // [heads, dim]
};

struct SomeRowsKernel {
  int64_t width = 0;  // of a vector, in floats
  void (*add)(const SomeRows& p) = nullptr;
};

// Null where the compiler or the target has no such instructions.
const SomeRowsKernel* some_rows_avx2();
const SomeRowsKernel* some_rows_avx512();

}  // namespace dsv4::kernels
