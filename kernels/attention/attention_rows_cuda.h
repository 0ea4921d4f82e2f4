#pragma once

#include "kernels/cuda/chunk.h"
#include "kernels/cuda/device.h"
#include "kernels/indexer/indexer_cuda.h"
#include "kernels/rope/rope_cuda.h"

namespace dsv4::kernels::cuda {

// What the attention site does to rows before tokens meet each other (deepseek-v4.md section 3,
// Attention site), each in one launch. All pointers are to memory of the device.

// Each head is divided by its own RMS, then turned.
struct FinishQueriesParams {
  float* q = nullptr;  // [tokens, heads, dim], in place
  int64_t tokens = 0;
  int64_t heads = 0;
  int64_t dim = 0;
  int64_t rope_dim = 0;
  float eps = 0.0F;
  RopeTurns turns;  // of the chunk
};
void finish_queries(Stream& stream, const FinishQueriesParams& p);

// Raw rows: norm with weight, turned, and rounded to what `layout` stores (kF32: not at all).
struct FinishRowsParams {
  Chunk chunk;
  float* x = nullptr;             // [tokens, layout.dim], in place
  const float* weight = nullptr;  // [dim]
  int64_t rope_dim = 0;
  float eps = 0.0F;
  RopeTurns turns;
  RowLayout layout;
  // When given, the finished rows are put into the ring as well (store_in_ring): for chunks of at
  // most slots - window + 1 tokens, whose attention still finds there all that it needs.
  float* const* ring = nullptr;  // [sequences], each [slots, dim]; position p is in p mod slots
  int64_t slots = 0;
};
void finish_rows(Stream& stream, const FinishRowsParams& p);

// All of these and the indexer's queries (finish_index), side by side in one launch: they do not
// depend on each other.
struct FinishSiteParams {
  FinishQueriesParams queries;
  FinishRowsParams rows;
  FinishIndexParams index;  // of no tokens where there is no indexer
};
void finish_site(Stream& stream, const FinishSiteParams& p);

// The last rows of each sequence into its ring, for longer chunks, after their attention.
struct StoreInRingParams {
  Chunk chunk;
  const float* x = nullptr;  // [tokens, dim]
  int64_t dim = 0;
  float* const* ring = nullptr;  // [sequences], each [slots, dim]
  int64_t slots = 0;
};
void store_in_ring(Stream& stream, const StoreInRingParams& p);

}  // namespace dsv4::kernels::cuda
