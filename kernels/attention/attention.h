#pragma once

#include <cstdint>

#include "kernels/packed_rows/packed_rows.h"
#include "kernels/parallel/isa.h"
#include "kernels/parallel/thread_pool.h"

namespace dsv4::kernels {

// Attention of V4 (deepseek-v4.md section 3): one row serves as key and value of every head. Token
// t sees a window of raw rows and some compressed entries:
//   softmax over [q.k * scale..., sink_h], the sink in the denominator only; out = sum of p * row.
// A token's result depends on the rows that it sees alone, bit for bit: not on the chunk that it
// came in, nor on the number of threads.
struct AttentionParams {
  const float* q = nullptr;  // [tokens, heads, dim]
  int64_t tokens = 0;
  int64_t heads = 0;
  int64_t dim = 0;
  const float* sink = nullptr;  // [heads]
  float scale = 0.0F;

  // Raw rows by pointer, [earlier + tokens]: `earlier` rows from before the first token, then the
  // tokens' own. Token t sees the last `window_size` rows up to its own.
  const float* const* window = nullptr;
  int64_t earlier = 0;
  int64_t window_size = 0;

  // Compressed rows: token t sees those in selected[t, 0 .. count[t]), or the first count[t] of
  // them when selected is null. A null count means none.
  PagedRows entries;
  const int32_t* selected = nullptr;  // [tokens, selected_stride]
  int64_t selected_stride = 0;
  const int64_t* count = nullptr;  // [tokens]

  int64_t groups = 1;  // divides heads
  float* out =
      nullptr;  // [groups, out_tokens, heads / groups, dim]: dense per group for its projection
  int64_t out_tokens = 0;  // of the whole output, when these are part of it; 0: tokens
};

void attention_reference(const AttentionParams& p);  // double precision
void attention(ThreadPool& pool, Isa isa, const AttentionParams& p);

}  // namespace dsv4::kernels
