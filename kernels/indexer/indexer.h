#pragma once

#include <cstdint>

#include "kernels/parallel/isa.h"
#include "kernels/parallel/thread_pool.h"

namespace dsv4::kernels {

// Chooses compressed entries per token (deepseek-v4.md section 3, Lightning indexer):
//   score(t, b) = sum_i weights[t, i] * relu(q[t, i] . keys[b]),  b < visible[t]
// and the best `topk` of them, the lower index first among equals; all when there are no more.
// Scores of one token at a time are held, never tokens x entries.
struct IndexerParams {
  const float* q = nullptr;        // [tokens, heads, dim]
  const float* weights = nullptr;  // [tokens, heads]
  int64_t tokens = 0;
  int64_t heads = 0;
  int64_t dim = 0;
  const float* keys = nullptr;       // [entries, dim]
  const int64_t* visible = nullptr;  // [tokens], entries that a token may see: the first of them
  int64_t topk = 0;
  int32_t* selected = nullptr;  // [tokens, topk], ascending; what is past the count is left alone
  int64_t* count = nullptr;     // [tokens]
};

void select_entries_reference(const IndexerParams& p);  // double precision
void select_entries(ThreadPool& pool, Isa isa, const IndexerParams& p);

}  // namespace dsv4::kernels
