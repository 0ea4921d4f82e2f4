#pragma once

#include <cstdint>

#include "kernels/matmul/matmul.h"

// How the card's matrix products are cut up: plain arithmetic, tested where there is no card.

namespace dsv4::kernels::cuda {

// Of a block that multiplies few tokens.
inline constexpr int kFewTokensWarps = 8;

struct Tiling {
  int splits = 1;      // warps that share the columns of 16 rows; divides kFewTokensWarps
  int64_t blocks = 0;  // of rows
  int64_t token_tiles = 0;
  int64_t shared_bytes = 0;
};

// Tiles of eight tokens; `together`: matrices of this size that are multiplied in one launch.
// Throws std::invalid_argument for more than a million columns.
Tiling few_tokens_tiling(int64_t tokens, int64_t rows, int64_t cols, int64_t together = 1);

// Whether tiles of many tokens are the faster way for a product: few tokens' tiles read the weights
// again for each eight of them, many tokens' take their time however few there are, and are few
// themselves for a small matrix. Estimated for an H100, not measured. `split`: x is three numbers
// each.
bool many_tokens(int64_t tokens, const WeightMatrix& w, bool split);

// The same for the experts of a launch, which have `tokens` each on average.
inline constexpr bool many_tokens_each(int64_t tokens) { return tokens > 16; }

// Tokens of a tile of 128 rows; `split`: x is three numbers each.
inline constexpr int many_tokens_tile(WeightFormat format, bool split) {
  if (!split) return 128;
  return format == WeightFormat::kFp4Block32 ? 32 : 64;
}

}  // namespace dsv4::kernels::cuda
