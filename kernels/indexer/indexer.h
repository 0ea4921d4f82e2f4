#pragma once

#include <cstdint>

#include "kernels/packed_rows/packed_rows.h"
#include "kernels/parallel/isa.h"
#include "kernels/parallel/thread_pool.h"

namespace dsv4::kernels {

// Chooses compressed entries per token (deepseek-v4.md section 3, Lightning indexer):
//   score(t, b) = sum_i weights[t, i] * relu(q[t, i] . keys[b]),  b < visible[t]
// and the best `topk` of them, the lower index first among equals; all when there are no more. The
// result depends neither on how tokens are split into calls nor on the number of threads.
// The best are kept while scores are computed: memory grows with tokens * topk, not with entries.
struct IndexerParams {
  const float* q = nullptr;        // [tokens, heads, dim]; with kFp4 keys rounded through FP4 too
  const float* weights = nullptr;  // [tokens, heads]
  int64_t tokens = 0;
  int64_t heads = 0;
  int64_t dim = 0;
  PagedRows keys;
  const int64_t* visible = nullptr;  // [tokens], ascending: a token may see so many first entries
  int64_t topk = 0;
  int32_t* selected = nullptr;  // [tokens, topk], ascending; what is past the count is left alone
  int64_t* count = nullptr;     // [tokens]
};

void select_entries_reference(const IndexerParams& p);  // double precision
void select_entries(ThreadPool& pool, Isa isa, const IndexerParams& p);

}  // namespace dsv4::kernels
