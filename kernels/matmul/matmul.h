#pragma once

#include <cstdint>
#include <memory>
#include <span>

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

// Memory that products need on the way, kept between calls so that they allocate nothing. One per
// caller; not for two threads at once.
class MatmulScratch {
 public:
  MatmulScratch();
  ~MatmulScratch();
  MatmulScratch(MatmulScratch&&) noexcept;
  MatmulScratch& operator=(MatmulScratch&&) noexcept;

  struct State;
  State& state() { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

// The plain statement of the product, in double precision sums; slow, for tests.
void matmul_reference(const MatmulParams& p);

// The product with the strongest code for at most `isa`. The result for one token does not depend
// on how many tokens are computed together, on the other products or on the number of threads (bit
// for bit), so that chunked prefill and one-token decoding agree. Without `scratch` the call
// allocates its own.
void matmul(ThreadPool& pool, Isa isa, const MatmulParams& p, MatmulScratch* scratch = nullptr);

// Independent products as one parallel loop: w1 and w3 of every expert of a token, or wq_a and wkv.
// Worth it when each alone is too small to occupy all threads. Consecutive products with the same x
// share its rounding.
void matmul_batch(ThreadPool& pool, Isa isa, std::span<const MatmulParams> products,
                  MatmulScratch* scratch = nullptr);

}  // namespace dsv4::kernels
