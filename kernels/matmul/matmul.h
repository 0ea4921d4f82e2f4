#pragma once

#include <cstdint>

#include "kernels/parallel/isa.h"
#include "kernels/parallel/thread_pool.h"

namespace dsv4::kernels {

// How the numbers of a weight matrix lie in memory. Rows are outputs, columns inputs, row-major,
// exactly as the checkpoint stores them (deepseek-v4.md section 2).
enum class WeightFormat {
  kF32,          // float
  kBf16,         // uint16_t, the upper half of a float
  kFp8Block128,  // e4m3 bytes; scale: e8m0, one per 128x128 block, [ceil(rows/128), ceil(cols/128)]
  kFp4Block32,   // two e2m1 codes a byte, low nibble = even column; scale: e8m0 [rows, cols/32]
};

// A view of one weight matrix; owns nothing. The memory may be a file mapping, aligned to 1 byte.
struct WeightMatrix {
  WeightFormat format = WeightFormat::kF32;
  const void* data = nullptr;
  const uint8_t* scale = nullptr;  // null for kF32 and kBf16
  int64_t rows = 0;                // output width
  int64_t cols = 0;                // input width; for kFp4Block32 a multiple of 32
};

// Rounding of the activations before an FP8 or FP4 product (deepseek-v4.md section 4).
enum class ActivationRounding {
  kNone,         // precision f32
  kFp8Block128,  // precisions exact and fast: e4m3 in blocks of 128, power-of-two scales
};

// y[t, r] = sum_c x[t, c] * w[r, c]; x is [tokens, cols], y is [tokens, rows], both dense f32.
struct MatmulParams {
  const float* x = nullptr;
  int64_t tokens = 0;
  WeightMatrix weight;
  ActivationRounding rounding = ActivationRounding::kNone;
  float* y = nullptr;
};

// The plain statement of the product, in double precision sums; slow, for tests.
void matmul_reference(const MatmulParams& p);

// The product on this machine's best instruction set, or on `isa` for tests. The result for one
// token does not depend on how many tokens are computed together (bit for bit), so that chunked
// prefill and one-token decoding agree.
void matmul(ThreadPool& pool, Isa isa, const MatmulParams& p);

}  // namespace dsv4::kernels
