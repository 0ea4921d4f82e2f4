#pragma once

#include <cstdint>

#include "kernels/cuda/device.h"

namespace dsv4::kernels::cuda {

// RoPE (kernels/rope/rope.h) at positions that are in memory of the device, as is everything here.
// The table of a chunk is made once for all layers of the same frequencies.
struct RopeTurns {
  const float* cos = nullptr;  // [tokens, pairs]
  const float* sin = nullptr;  // [tokens, pairs]
};

struct FillTurnsParams {
  const float* frequencies = nullptr;  // [pairs], rope_frequencies
  int64_t pairs = 0;                   // rope_dim / 2
  const int64_t* position = nullptr;   // [tokens]; negative ones are padding and taken for 0
  int64_t tokens = 0;
  float* cos = nullptr;  // [tokens, pairs]
  float* sin = nullptr;
};
void fill_turns(Stream& stream, const FillTurnsParams& p);

// Rotates the last rope_dim of each row's dim numbers in place, forward or back. Row r belongs to
// token r / rows_per_token.
struct TurnParams {
  float* x = nullptr;  // [rows, dim]
  int64_t rows = 0;
  int64_t dim = 0;
  int64_t rope_dim = 0;
  int64_t rows_per_token = 1;
  RopeTurns turns;
  bool back = false;
};
void turn_rows(Stream& stream, const TurnParams& p);

}  // namespace dsv4::kernels::cuda
