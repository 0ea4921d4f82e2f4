#pragma once

#include "kernels/attention/attention_cuda.h"
#include "kernels/packed_rows/packed_rows_lanes.h"

// What the kernels of attention share: which rows a token sees, and where results go.

namespace dsv4::kernels::cuda {

// Stands for no score at all; a softmax over finite numbers needs a finite top.
inline constexpr float kLowestScore = -1e30F;
// Splits have a multiple of so many rows.
inline constexpr int kSplitRows = 32;

struct AttendParamsOnDevice {
  AttendParams p;
  PackedShape shape;
};

// The rows that a token sees, in order: its window, then its entries.
struct SeenRows {
  int32_t token = 0;
  int32_t position = 0;
  int32_t sequence = 0;
  int32_t begin = 0;  // row of the sequence's first token in the chunk
  int32_t start = 0;  // its position
  int32_t window = 0;
  int32_t entries = 0;

  DSV4_LANE int32_t rows() const { return window + entries; }

  // A raw row, r < window.
  DSV4_LANE const float* raw(const AttendParams& p, int r) const {
    const int32_t at = position + 1 - window + r;
    if (at >= start) return p.raw + int64_t{begin + at - start} * p.dim;
    return p.ring[sequence] + int64_t{at % static_cast<int32_t>(p.slots)} * p.dim;
  }
  // Which entry row r >= window is.
  DSV4_LANE int32_t entry(const AttendParams& p, int r) const {
    return p.selected == nullptr ? r - window : p.selected[token * p.selected_stride + r - window];
  }
};

DSV4_LANE SeenRows seen_rows(const AttendParams& p, int64_t token) {
  SeenRows seen;
  seen.token = static_cast<int32_t>(token);
  seen.position = static_cast<int32_t>(p.chunk.position[token]);
  if (seen.position < 0) return seen;
  seen.sequence = p.chunk.sequence[token];
  seen.begin = p.chunk.begin[seen.sequence];
  seen.start = static_cast<int32_t>(p.chunk.position[seen.begin]);
  const int32_t all = seen.position + 1;
  seen.window = all < p.window ? all : static_cast<int32_t>(p.window);
  if (p.ratio > 0) {
    seen.entries = p.selected == nullptr ? all / static_cast<int32_t>(p.ratio) : p.count[token];
  }
  return seen;
}

// The rows [first, end) of those that a token sees are a split's.
struct SplitRows {
  int32_t first = 0;
  int32_t end = 0;
};
DSV4_LANE SplitRows split_rows(int32_t rows, int32_t split, int32_t splits) {
  const int32_t each = (rows + splits - 1) / splits;
  const int32_t length = (each + kSplitRows - 1) / kSplitRows * kSplitRows;
  const int32_t first = split * length;
  return {first < rows ? first : rows, first + length < rows ? first + length : rows};
}

// What a split leaves behind of a token's head, in the scratch: of softmax weights e^(score - top)
// the total, and the rows weighed and added up.
struct SplitResults {
  float* sums;    // [tokens, splits, heads, dim]
  float* tops;    // [tokens, splits, heads]
  float* totals;  // [tokens, splits, heads]
};
DSV4_LANE SplitResults split_results(const AttendParams& p) {
  auto* memory = static_cast<float*>(p.scratch);
  const int64_t count = p.chunk.tokens * p.splits * p.heads;
  return {memory, memory + count * p.dim, memory + count * (p.dim + 1)};
}

DSV4_LANE float* attention_output(const AttendParams& p, int64_t token, int64_t head) {
  const int64_t per_group = p.heads / p.groups;
  return p.out +
         ((head / per_group * p.chunk.tokens + token) * per_group + head % per_group) * p.dim;
}

}  // namespace dsv4::kernels::cuda
