#pragma once

#include "kernels/matmul/product_lanes.h"
#include "kernels/matmul/tiling.h"

// The product for up to eight tokens, in which reading the weights takes all the time. A block has
// some groups of 16 rows, and for each of them some warps with a part of the columns each; what
// they have for each block of 128 columns they leave in shared memory, where it is added up in
// order.

namespace dsv4::kernels::cuda {

// Tokens of a product: `count` from `first` on, whose activations are row first + i of x, or where
// `rows` is given row rows[first + i] / per_row. y has a row for each of first + i.
struct TokenTile {
  ActivationRows x;
  const int32_t* rows = nullptr;
  int32_t per_row = 1;
  int64_t first = 0;
  int count = 0;

  DSV4_LANE int64_t row(int i) const {
    return rows != nullptr ? rows[first + i] / per_row : first + i;
  }
};

struct ProductTarget {
  WeightMatrix weight;
  bool whole = false;  // reads_whole
  float* y = nullptr;
  int64_t y_stride = 0;
};

template <WeightFormat F, int kXParts>
struct FewTokens {
  static constexpr WeightFormat kFormat = F;
  static constexpr bool kMany = false;
  static constexpr int kThreads = kFewTokensWarps * kWarp;
  static constexpr int kTokens = kTileTokens;
  static constexpr int kAtOnce = FormatLanes<F>::kBlocksAtOnce;
  static constexpr int kSteps = StepLanes<F>::kSteps;
  static constexpr int kLoads = FormatLanes<F>::kLoads;
  static constexpr int kLaneBytes = kLoads * 16;  // of a row in a step
  static constexpr int kBlockBytes = kSteps * 4 * kLaneBytes;

  static Tiling tiling(int64_t tokens, int64_t rows, int64_t cols, int64_t together = 1) {
    return few_tokens_tiling(tokens, rows, cols, together);
  }

  // All lanes of a block of kFewTokensWarps warps; `rows_block` counts blocks of the same target.
  static DSV4_LANE void run(const ProductTarget& target, const TokenTile& tile, int splits,
                            int64_t rows_block) {
    const int groups = kFewTokensWarps / splits;
    const int64_t row = rows_block * groups * kTileRows;
    auto* sums = reinterpret_cast<float*>(shared_memory());
    const int group = warp() / splits;
    multiply(target, tile, splits, row + group * kTileRows,
             sums + group * tile.x.blocks * kTileRows * tile.count);
    sync_block();
    add_up(target, tile, groups, row, sums);
  }

 private:
  // Whole blocks of two rows of this lane, one after another.
  struct Reader {
    const uint8_t* row[2];
    const uint8_t* factor[2];  // FP4 only

    DSV4_LANE Reader(const ProductTarget& target, int64_t first, int block) {
      const WeightMatrix& w = target.weight;
      DSV4_UNROLL
      for (int half = 0; half < 2; ++half) {
        const int64_t r = lane_row(w, first, half);
        row[half] = static_cast<const uint8_t*>(w.data) + r * row_bytes<F>(w.cols) +
                    block * kBlockBytes + lane() % 4 * kLaneBytes;
        factor[half] = nullptr;
        if constexpr (F == WeightFormat::kFp4Block32) {
          factor[half] = w.scale + r * (w.cols / 32) + block * 4 + lane() % 4;
        }
      }
    }

    DSV4_LANE void next(RawBlock<F> (&raw)[kAtOnce]) {
      DSV4_UNROLL
      for (int half = 0; half < 2; ++half) {
        DSV4_UNROLL
        for (int b = 0; b < kAtOnce; ++b) {
          DSV4_UNROLL
          for (int i = 0; i < kSteps * kLoads; ++i) {
            const int at = b * kBlockBytes + i / kLoads * 4 * kLaneBytes + i % kLoads * 16;
            raw[b].bytes[half][i / kLoads][i % kLoads] = load_once(row[half] + at);
          }
          if constexpr (F == WeightFormat::kFp4Block32) {
            raw[b].factor[half] = factor[half][b * 4];
          }
        }
        row[half] += kAtOnce * kBlockBytes;
        factor[half] += kAtOnce * 4;
      }
    }
  };

  // Multiplies them with the tokens, as those come. Lanes of tokens that are not there take the
  // last one's numbers, which nobody asks for.
  struct Writer {
    const uint16_t* x;  // of token lane / 4
    int64_t part_stride;
    const float* scale[2];       // of the tokens of this lane's sums
    const uint8_t* block_scale;  // FP8 only
    float* sums;
    int tokens;
    int column;

    DSV4_LANE Writer(const ProductTarget& target, const TokenTile& tile, int64_t row, int block,
                     float* all)
        : part_stride(tile.x.part_stride()), tokens(tile.count), column(lane() % 4 * 2) {
      const auto row_of = [&](int token) {
        return tile.row(token < tile.count ? token : tile.count - 1);
      };
      x = tile.x.parts + row_of(lane() / 4) * tile.x.stride() + block * kBlockCols;
      DSV4_UNROLL
      for (int j = 0; j < 2; ++j) {
        scale[j] =
            kXParts > 1 ? nullptr : tile.x.scale + row_of(column + j) * tile.x.blocks + block;
      }
      block_scale = nullptr;
      if constexpr (F == WeightFormat::kFp8Block128) {
        block_scale = target.weight.scale + row / kBlockCols * tile.x.blocks + block;
      }
      sums = all + (block * kTileRows + lane() / 4) * tokens + column;
    }

    DSV4_LANE void next(const RawBlock<F>& raw) {
      float both[2] = {1.0F, 1.0F};
      if constexpr (F == WeightFormat::kFp4Block32) both[0] = both[1] = kFp4ScaledUp;
      if constexpr (F == WeightFormat::kFp8Block128) {
        both[0] = both[1] = decode_scale(*block_scale++);
      }
      DSV4_UNROLL
      for (int j = 0; kXParts == 1 && j < 2; ++j) both[j] *= *scale[j]++;
      float d[4] = {};
      multiply_block<F, kXParts>(raw, x, part_stride, d);
      DSV4_UNROLL
      for (int j = 0; j < 4; ++j) {
        if (column + j % 2 < tokens) sums[j / 2 * 8 * tokens + j % 2] = d[j] * both[j % 2];
      }
      x += kBlockCols;
      sums += kTileRows * tokens;
    }
  };

  // sums: [blocks, 16, tokens], with their scales
  static DSV4_LANE void multiply(const ProductTarget& target, const TokenTile& tile, int splits,
                                 int64_t row, float* sums) {
    if (row >= target.weight.rows) return;
    const auto blocks = static_cast<int>(tile.x.blocks);
    const int batches = (blocks + kAtOnce - 1) / kAtOnce;
    const int split = warp() % splits;
    int block = batches * split / splits * kAtOnce;
    const int last = batches * (split + 1) / splits * kAtOnce;
    const int end = last < blocks ? last : blocks;
    const auto filled = static_cast<int>(target.weight.cols / kBlockCols);
    const int whole = !target.whole ? 0 : (filled < end ? filled : end) - block;
    const int here = whole > 0 ? whole / kAtOnce : 0;
    Writer writer(target, tile, row, block, sums);
    Reader reader(target, row, block);
    RawBlock<F> even[kAtOnce] = {};
    RawBlock<F> odd[kAtOnce] = {};
    if (here > 0) reader.next(even);
    for (int i = 0; i < here; i += 2) {
      if (i + 1 < here) reader.next(odd);
      DSV4_UNROLL
      for (int b = 0; b < kAtOnce; ++b) writer.next(even[b]);
      if (i + 1 >= here) break;
      if (i + 2 < here) reader.next(even);
      DSV4_UNROLL
      for (int b = 0; b < kAtOnce; ++b) writer.next(odd[b]);
    }
    for (block += here * kAtOnce; block < end; ++block) {
      load_block(target.weight, target.whole, row, block, even[0]);
      writer.next(even[0]);
    }
  }

  static DSV4_LANE void add_up(const ProductTarget& target, const TokenTile& tile, int groups,
                               int64_t row, const float* sums) {
    for (int i = thread(); i < groups * kTileRows * tile.count; i += threads()) {
      const int r = i % kTileRows;
      const int t = i / kTileRows % tile.count;
      const int group = i / kTileRows / tile.count;
      const int64_t at = row + group * kTileRows + r;
      if (at >= target.weight.rows) continue;
      const float* from = sums + (group * tile.x.blocks * kTileRows + r) * tile.count + t;
      float sum = 0.0F;
      for (int64_t block = 0; block < tile.x.blocks; ++block) {
        sum += from[block * kTileRows * tile.count];
      }
      target.y[(tile.first + t) * target.y_stride + at] = sum;
    }
  }
};

}  // namespace dsv4::kernels::cuda
