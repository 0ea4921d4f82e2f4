#include "kernels/matmul/tiling.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace dsv4::kernels::cuda {
namespace {

constexpr int64_t kRows = 16;
constexpr int64_t kTokens = 8;
constexpr int64_t kBlockCols = 128;

// Enough for a large card's multiprocessors to wait for memory from several sides. More would have
// less to do each, and a warp's beginning and end take their time.
constexpr int64_t kWarpsWanted = 132 * 16;

// A block that takes more of it leaves too little for its neighbours.
constexpr int64_t kSharedWanted = 32 << 10;

constexpr int64_t kMostCols = 1 << 20;

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

int64_t bits_of(WeightFormat format) {
  switch (format) {
    case WeightFormat::kF32:
      return 32;
    case WeightFormat::kBf16:
      return 16;
    case WeightFormat::kFp8Block128:
      return 8;
    case WeightFormat::kFp4Block32:
      return 4;
  }
  return 32;
}

}  // namespace

bool many_tokens(int64_t tokens, const WeightMatrix& w, bool split) {
  constexpr int64_t kProcessors = 132;
  constexpr double kBytesEachMicrosecond = 3e6;
  constexpr double kBlockMicroseconds = 0.8;       // of 128 columns of a tile
  constexpr double kSplitBlockMicroseconds = 1.2;  // three products for half of the tokens
  const double read =
      static_cast<double>(w.rows * w.cols * bits_of(w.format) / 8) / kBytesEachMicrosecond;
  const double few = static_cast<double>(divide_up(tokens, kTokens)) * read;
  const int64_t tiles =
      divide_up(w.rows, 128) * divide_up(tokens, many_tokens_tile(w.format, split));
  const double many =
      static_cast<double>(divide_up(tiles, kProcessors) * divide_up(w.cols, kBlockCols)) *
      (split ? kSplitBlockMicroseconds : kBlockMicroseconds);
  return few > std::max(many, read);
}

Tiling few_tokens_tiling(int64_t tokens, int64_t rows, int64_t cols, int64_t together) {
  if (cols > kMostCols) {
    throw std::invalid_argument("a matrix of " + std::to_string(cols) +
                                " columns is too wide for the GPU's products");
  }
  const int64_t row_groups = divide_up(rows, kRows);
  const int64_t col_blocks = divide_up(cols, kBlockCols);
  const int64_t sums = col_blocks * kRows * std::min(tokens, kTokens) * int64_t{sizeof(float)};
  Tiling tiling;
  const auto worth_splitting = [&] {
    return row_groups * together * tiling.splits < kWarpsWanted ||
           kFewTokensWarps / tiling.splits * sums > kSharedWanted;
  };
  while (tiling.splits < kFewTokensWarps && tiling.splits * 2 <= std::max<int64_t>(1, col_blocks) &&
         worth_splitting()) {
    tiling.splits *= 2;
  }
  const int64_t groups = kFewTokensWarps / tiling.splits;
  tiling.blocks = divide_up(row_groups, groups);
  tiling.token_tiles = divide_up(tokens, kTokens);
  tiling.shared_bytes = groups * sums;
  return tiling;
}

}  // namespace dsv4::kernels::cuda
