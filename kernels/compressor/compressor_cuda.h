#pragma once

#include "kernels/cuda/chunk.h"
#include "kernels/cuda/device.h"

namespace dsv4::kernels::cuda {

// A compressor's share of a chunk (deepseek-v4.md section 3, Compressor): every block of `ratio`
// positions that ends in the chunk becomes an entry, mixed, normed, turned by the position of the
// block's first token, transformed (kernels/indexer/hadamard.h) if asked for, packed and stored in
// the pages of its sequence; then the chunk's last rows go to the frontier. All pointers are to
// memory of the device.
struct CompressChunkParams {
  Chunk chunk;
  const float* kv = nullptr;    // [tokens, width]; width is dim, with overlap 2 * dim
  const float* gate = nullptr;  // [tokens, width]
  int64_t ratio = 0;
  bool overlap = false;
  const float* ape = nullptr;   // [ratio, width]
  const float* norm = nullptr;  // [dim]
  float eps = 0.0F;
  const float* frequencies = nullptr;  // [rope_dim / 2]
  int64_t rope_dim = 0;
  bool transform = false;  // dim is a power of two then
  SequencePages entries;   // its layout has the dim; entry b of a sequence is block b's

  // Earlier rows, by position: p is in p mod slots. Slots are at least ratio, with overlap twice
  // that, and what more there are lets shorter chunks do with one launch.
  float* const* frontier_kv = nullptr;    // [sequences], each [slots, width]
  float* const* frontier_gate = nullptr;  // [sequences], each [slots, width]
  int64_t slots = 0;
};

void compress_chunk(Stream& stream, const CompressChunkParams& p);
// Two compressors of the same chunk side by side: a layer's and its indexer's.
void compress_chunk(Stream& stream, const CompressChunkParams& a, const CompressChunkParams& b);

}  // namespace dsv4::kernels::cuda
