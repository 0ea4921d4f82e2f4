#pragma once

#include <cstdint>

#include "kernels/cuda/device.h"
#include "kernels/matmul/matmul.h"

namespace dsv4::kernels::cuda {

// x[t, j] = table[ids[t]] for every stream j. All pointers are to the device's memory.
struct EmbedParams {
  WeightMatrix table;            // [vocab, dim], kF32 or kBf16
  const int32_t* ids = nullptr;  // [tokens], each below vocab
  int64_t tokens = 0;
  int64_t streams = 1;
  float* x = nullptr;  // [tokens, streams, dim]
};

void embed(Stream& stream, const EmbedParams& p);

}  // namespace dsv4::kernels::cuda
