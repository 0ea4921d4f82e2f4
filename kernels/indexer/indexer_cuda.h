#pragma once

#include "kernels/cuda/chunk.h"
#include "kernels/cuda/device.h"
#include "kernels/rope/rope_cuda.h"

namespace dsv4::kernels::cuda {

// The lightning indexer (deepseek-v4.md section 3) on the device, as are all pointers here.

// The queries, in place: turned and, when `rounds`, transformed (kernels/indexer/hadamard.h) and
// rounded through FP4. The weights are scaled by (dim * heads)^-0.5.
struct FinishIndexParams {
  float* q = nullptr;        // [tokens, heads, dim]; dim is a power of two when it rounds
  float* weights = nullptr;  // [tokens, heads]
  int64_t tokens = 0;
  int64_t heads = 0;
  int64_t dim = 0;
  int64_t rope_dim = 0;
  RopeTurns turns;
  bool rounds = false;
};
void finish_index(Stream& stream, const FinishIndexParams& p);

// Chooses entries (kernels/indexer/indexer.h): of the (p + 1) / ratio that a token at position p
// sees the topk best by sum_i weights[t, i] * relu(q[t, i] . key), the lower index first among
// equals, in ascending order; all when there are no more. Scores that are NaN are never chosen.
//
// A token's score of a key depends on the two alone. With kFp4 keys of 128 channels and at most 64
// heads dot products are exact sums of bytes wherever the scales of a row lie within a factor of 8;
// fp4_score_lanes.h says in which order heads are added up.
struct SelectParams {
  Chunk chunk;
  const float* q = nullptr;        // [tokens, heads, dim], finished
  const float* weights = nullptr;  // [tokens, heads], finished
  int64_t heads = 0;
  int64_t dim = 0;
  SequencePages keys;
  int64_t ratio = 0;
  int64_t topk = 0;
  int32_t* selected = nullptr;  // [tokens, topk]; what is past the count is left alone
  int32_t* count = nullptr;     // [tokens]; 0 of padding

  // No token of the launch may see more entries than this. Tokens are worked through in groups, as
  // many at once as the scratch has room for.
  int64_t most_entries = 0;
  void* scratch = nullptr;
  int64_t scratch_bytes = 0;  // at least select_scratch_bytes() of one token
};

// For `tokens` tokens side by side; prefill is faster with more of them, up to some 256.
int64_t select_scratch_bytes(int64_t tokens, int64_t most_entries, int64_t topk);

void select_entries(Stream& stream, const SelectParams& p);

}  // namespace dsv4::kernels::cuda
