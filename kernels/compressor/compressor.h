#pragma once

#include <cstdint>

#include "kernels/parallel/isa.h"
#include "kernels/parallel/thread_pool.h"

namespace dsv4::kernels {

// One block of `ratio` positions becomes one entry (deepseek-v4.md section 3, Compressor): per
// channel a softmax of the gates over the rows weighs their values.
//
// Without overlap a projected row has `dim` channels and the block's own rows are mixed. With
// overlap a row has 2 * dim: the first dim channels of the previous block's rows and the last dim
// of this block's go into one softmax; `previous_*` is null for the first block.
struct CompressBlock {
  const float* const* kv = nullptr;  // [ratio] rows of this block, [dim] or [2 * dim] each
  const float* const* gate = nullptr;
  const float* const* previous_kv = nullptr;  // [ratio]
  const float* const* previous_gate = nullptr;
  float* out = nullptr;  // [dim]
};

struct CompressParams {
  const CompressBlock* blocks = nullptr;  // [count]
  int64_t count = 0;
  int64_t ratio = 0;
  int64_t dim = 0;
  bool overlap = false;
  const float* ape = nullptr;  // [ratio, dim or 2 * dim], added to the gates
};

void compress_reference(const CompressParams& p);  // double precision
void compress(ThreadPool& pool, Isa isa, const CompressParams& p);

}  // namespace dsv4::kernels
