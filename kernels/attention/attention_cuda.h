#pragma once

#include "kernels/cuda/chunk.h"
#include "kernels/cuda/device.h"
#include "kernels/rope/rope_cuda.h"

namespace dsv4::kernels::cuda {

// Attention (kernels/attention/attention.h) of the tokens of a chunk, on the device: token t sees
// the last `window` raw rows up to its own and some compressed entries; one row serves as key and
// value of every head; the sink joins the denominator only.
//
// The rows that a token sees are added up in parts whose bounds depend on their number and `splits`
// alone: the result is the same for every chunk that the token comes in.
struct AttendParams {
  Chunk chunk;
  const float* q = nullptr;  // [tokens, heads, dim]
  int64_t heads = 0;
  int64_t dim = 0;
  const float* sink = nullptr;  // [heads]
  float scale = 0.0F;

  // Raw rows: the chunk's own, finished, and those before it in the ring, where position p is in
  // p mod slots and slots is at least window - 1.
  const float* raw = nullptr;          // [tokens, dim]
  const float* const* ring = nullptr;  // [sequences], each [slots, dim]
  int64_t slots = 0;
  int64_t window = 0;

  // Compressed entries, none when ratio is 0: a token at position p sees the first (p + 1) / ratio
  // of its sequence, or of them those in selected[t, 0 .. count[t]).
  int64_t ratio = 0;
  SequencePages entries;
  const int32_t* selected = nullptr;  // [tokens, selected_stride]
  int64_t selected_stride = 0;
  const int32_t* count = nullptr;  // [tokens]

  // The output is dense per group for its projection; with turns its last rope_dim channels are
  // turned back by the token's position. What padding tokens get is zeros.
  int64_t groups = 1;  // divides heads
  int64_t rope_dim = 0;
  RopeTurns turns;       // null: they are not
  float* out = nullptr;  // [groups, tokens, heads / groups, dim]

  // Whether queries, rows and the weights of the softmax may be rounded to f16, for the tensor
  // cores; sums stay float32. Rows of FP8 codes are exact all the same. Heads of 128 and 512
  // channels are computed so, others and layouts that do not fit as if it were false. Raw rows are
  // at multiples of 16 bytes then.
  bool in_halves = false;
  // Queries come as their projection made them and are finished (finish_queries) on the way, which
  // spares a long chunk their way through memory. Only where attends_in_halves() says that tensor
  // cores are used, and with turns.
  bool finishes_queries = false;
  float query_eps = 0.0F;
  int64_t shared_bytes = 0;  // of a block at most, on this card (DeviceInfo): more go faster

  // The rows that a token sees are split among so many blocks of lanes: few tokens need many to
  // occupy the card, attend_splits() says how many.
  int64_t splits = 1;
  void* scratch = nullptr;  // attend_scratch_bytes()
};

// For a card with so many multiprocessors.
int64_t attend_splits(int processors, int64_t tokens, int64_t heads, bool in_halves = false);
int64_t attend_scratch_bytes(int64_t tokens, int64_t heads, int64_t dim, int64_t splits);

void attend(Stream& stream, const AttendParams& p);
bool attends_in_halves(const AttendParams& p);

}  // namespace dsv4::kernels::cuda
