#pragma once

#include "kernels/matmul/few_tokens_lanes.h"

// The product for many tokens, in which the tensor cores take all the time. A block has 128 rows
// and kTokens tokens; both come to shared memory in stages of some columns, while the stage before
// is multiplied.

namespace dsv4::kernels::cuda {

template <WeightFormat F, int kXParts>
struct ManyTokens {
  static constexpr WeightFormat kFormat = F;
  static constexpr bool kMany = true;
  static constexpr int kThreads = 256;
  static constexpr int kRows = 128;
  // Three parts take three times the room.
  static constexpr int kTokens = many_tokens_tile(F, kXParts > 1);

  using Format = FormatLanes<F>;
  using Step = StepLanes<F>;
  static constexpr int kRowWarps = 4;
  static constexpr int kRowTiles = kRows / kRowWarps / kTileRows;  // of a warp
  static constexpr int kTokenTiles = kTokens / 2 / kTileTokens;    // of a warp
  static constexpr int kStageCols = F == WeightFormat::kFp4Block32 ? 128
                                    : F == WeightFormat::kF32      ? 32
                                    : F == WeightFormat::kBf16     ? 64
                                    : kXParts > 1                  ? 64
                                                                   : 128;
  static constexpr int kStagesOfBlock = kBlockCols / kStageCols;
  static constexpr int kSteps = kStageCols / Step::kStepCols;

  // A stage in shared memory.
  static constexpr int kWeightChunks = kStageCols * Format::kBits / 128;  // of 16 bytes, of a row
  static constexpr int kTokenChunks = kStageCols / 8;
  static constexpr int kWeightBytes = kRows * kWeightChunks * 16;
  static constexpr int kTokenBytes = kXParts * kTokens * kTokenChunks * 16;
  static constexpr int kFactorBytes = F == WeightFormat::kFp4Block32 ? kRows * 4 : 0;
  static constexpr int kScaleBytes = kTokens * 4;
  static constexpr int kStageBytes = kWeightBytes + kTokenBytes + kFactorBytes + kScaleBytes;
  static constexpr int kRowIndexBytes = kTokens * 4;  // where each token's row begins
  static constexpr uint32_t kNoToken = 0xffffffffU;
  // What the smallest of the cards gives a block.
  static constexpr int kStages = (99 * 1024 - kRowIndexBytes) / kStageBytes;
  static constexpr int kSharedBytes = kRowIndexBytes + kStages * kStageBytes;
  static_assert(kStages >= 2);

  static Tiling tiling(int64_t tokens, int64_t rows, int64_t, int64_t = 1) {
    return {1, (rows + kRows - 1) / kRows, (tokens + kTokens - 1) / kTokens, kSharedBytes};
  }

  // All lanes of a block; `rows_block` counts blocks of 128 rows.
  static DSV4_LANE void run(const ProductTarget& target, const TokenTile& tile, int,
                            int64_t rows_block) {
    const int64_t row = rows_block * kRows;
    const Sources from = find_sources(target, tile, row);
    sync_block();
    const int stages = static_cast<int>(tile.x.blocks) * kStagesOfBlock;
    DSV4_UNROLL
    for (int s = 0; s < kStages - 1; ++s) {
      if (s < stages) begin_stage(target, tile, row, from, s);
      end_of_copies();
    }
    float d[kRowTiles][kTokenTiles][4] = {};
    float sum[kRowTiles][kTokenTiles][4] = {};
    for (int s = 0; s < stages; ++s) {
      wait_for_copies<kStages - 2>();
      sync_block();  // everyone's copies are there, and the stage before this one is done with
      if (s + kStages - 1 < stages) begin_stage(target, tile, row, from, s + kStages - 1);
      end_of_copies();
      const char* stage = stage_at(s);
      multiply_stage(stage, d);
      if ((s + 1) % kStagesOfBlock == 0) add_up(target, row, s / kStagesOfBlock, stage, d, sum);
    }
    store(target, tile, row, sum);
  }

 private:
  static DSV4_LANE char* stage_at(int stage) {
    return shared_memory() + kRowIndexBytes + stage % kStages * kStageBytes;
  }

  // Where a chunk of 16 bytes is in its row, so that the eight lanes that read shared memory at
  // once find theirs in different banks.
  static DSV4_LANE int weight_place(int row, int chunk) {
    return kWeightChunks == 8 ? chunk ^ (row & 1) << 2 : chunk;
  }
  static DSV4_LANE int token_place(int token, int chunk) {
    if constexpr (F == WeightFormat::kFp4Block32) return chunk ^ (chunk >> 2 & 2) ^ (token & 1);
    if constexpr (F == WeightFormat::kFp8Block128) return chunk ^ (token & 1);
    return kTokenChunks == 8 ? chunk ^ (token & 1) << 2 : chunk;
  }

  // Each lane copies the same chunk of some rows, kRowStep and kTokenStep from one to the next.
  static constexpr int kRowStep = kThreads / kWeightChunks;
  static constexpr int kTokenStep = kThreads / kTokenChunks;
  static_assert(kRowStep % 2 == 0 && kTokenStep % 2 == 0);  // the places in all of them are alike
  static_assert(kRows % kRowStep == 0 && kTokens <= kThreads);

  // What this lane copies from.
  struct Sources {
    const uint8_t* weight;   // its chunk of its first row
    const uint8_t* factors;  // of row thread()
    const float* scales;     // of token thread(); null: there is none
  };

  // Also leaves where each token's row begins, in chunks, in shared memory.
  static DSV4_LANE Sources find_sources(const ProductTarget& target, const TokenTile& tile,
                                        int64_t row) {
    const WeightMatrix& w = target.weight;
    Sources from{};
    from.weight = static_cast<const uint8_t*>(w.data) +
                  (row + thread() / kWeightChunks) * row_bytes<F>(w.cols) +
                  thread() % kWeightChunks * 16;
    if constexpr (F == WeightFormat::kFp4Block32) {
      from.factors = w.scale + (row + thread()) * (w.cols / 32);
    }
    if (thread() >= kTokens) return from;
    auto* chunks = reinterpret_cast<uint32_t*>(shared_memory());
    chunks[thread()] = kNoToken;
    if (thread() < tile.count) {
      const int64_t at = tile.row(thread());
      chunks[thread()] = static_cast<uint32_t>(at * tile.x.stride() / 8);
      if (kXParts == 1) from.scales = tile.x.scale + at * tile.x.blocks;
    }
    return from;
  }

  static DSV4_LANE void begin_stage(const ProductTarget& target, const TokenTile& tile, int64_t row,
                                    const Sources& from, int s) {
    char* to = stage_at(s);
    if (target.whole) {
      copy_weights(target, row, from, s, to);
    } else {
      read_weights(target, row, s, to);
    }
    copy_tokens(tile, s, to + kWeightBytes);
    const int block = s / kStagesOfBlock;
    char* factors = to + kWeightBytes + kTokenBytes;
    if (F == WeightFormat::kFp4Block32 && thread() < kRows) {
      copy_factors(target, row, from, block, factors);
    }
    if (kXParts == 1 && thread() < kTokens) {
      begin_copy<4>(factors + kFactorBytes + thread() * 4, from.scales + block,
                    from.scales == nullptr ? 0 : 4);
    }
  }

  static DSV4_LANE void copy_weights(const ProductTarget& target, int64_t row, const Sources& from,
                                     int s, char* to) {
    const WeightMatrix& w = target.weight;
    const int64_t bytes = row_bytes<F>(w.cols);
    const int first = thread() / kWeightChunks;
    const int chunk = thread() % kWeightChunks;
    const int64_t left = bytes - (int64_t{s} * kWeightChunks + chunk) * 16;
    const int valid = left < 0 ? 0 : left < 16 ? static_cast<int>(left) : 16;
    const uint8_t* at = from.weight + int64_t{s} * kWeightChunks * 16;
    char* place = to + (first * kWeightChunks + weight_place(first, chunk)) * 16;
    DSV4_UNROLL
    for (int r = 0; r < kRows; r += kRowStep) {
      begin_copy<16>(place + r * kWeightChunks * 16, at, row + first + r < w.rows ? valid : 0);
      at += kRowStep * bytes;
    }
  }

  // For rows that cannot be copied 16 bytes at a time.
  static DSV4_LANE void read_weights(const ProductTarget& target, int64_t row, int s, char* to) {
    const WeightMatrix& w = target.weight;
    const int64_t bytes = row_bytes<F>(w.cols);
    DSV4_ROLLED
    for (int i = thread(); i < kRows * kWeightChunks; i += kThreads) {
      const int r = i / kWeightChunks;
      const int chunk = i % kWeightChunks;
      const int64_t at = (int64_t{s} * kWeightChunks + chunk) * 16;
      const int64_t valid = row + r < w.rows ? bytes - at : 0;
      const auto* data = static_cast<const uint8_t*>(w.data) + (row + r) * bytes;
      *reinterpret_cast<Bytes16*>(to + (r * kWeightChunks + weight_place(r, chunk)) * 16) =
          load_some(data + at, valid);
    }
  }

  static DSV4_LANE void copy_tokens(const TokenTile& tile, int s, char* to) {
    const auto* chunks = reinterpret_cast<const uint32_t*>(shared_memory());
    const int first = thread() / kTokenChunks;
    const int chunk = thread() % kTokenChunks;
    char* place = to + (first * kTokenChunks + token_place(first, chunk)) * 16;
    if (first >= kTokens) return;
    DSV4_UNROLL
    for (int part = 0; part < kXParts; ++part) {
      const uint16_t* x =
          tile.x.parts + part * tile.x.part_stride() + int64_t{s} * kStageCols + chunk * 8;
      DSV4_UNROLL
      for (int token = 0; token < kTokens; token += kTokenStep) {
        const uint32_t at = chunks[first + token];
        begin_copy<16>(place + (part * kTokens + token) * kTokenChunks * 16, x + int64_t{at} * 8,
                       at == kNoToken ? 0 : 16);
      }
    }
  }

  // The scales of four times 32 columns of a row.
  static DSV4_LANE void copy_factors(const ProductTarget& target, int64_t row, const Sources& from,
                                     int block, char* to) {
    const int64_t scales = target.weight.cols / 32;
    const int64_t left = row + thread() < target.weight.rows ? scales - block * 4 : 0;
    const uint8_t* at = from.factors + block * 4;
    to += thread() * 4;
    // Rows that all begin at multiples of four have no part of four.
    if ((reinterpret_cast<uintptr_t>(target.weight.scale) | static_cast<uintptr_t>(scales)) % 4 ==
        0) {
      begin_copy<4>(to, at, left > 0 ? 4 : 0);
      return;
    }
    DSV4_ROLLED
    for (int i = 0; i < 4; ++i) to[i] = static_cast<char>(i < left ? at[i] : 0);
  }

  static DSV4_LANE void multiply_stage(const char* stage, float (&d)[kRowTiles][kTokenTiles][4]) {
    const int g = lane() / 4;
    const int t = lane() % 4;
    const int row = warp() % kRowWarps * kRowTiles * kTileRows + g;
    const int token = warp() / kRowWarps * kTokenTiles * kTileTokens + g;
    DSV4_UNROLL
    for (int s = 0; s < kSteps; ++s) {
      Bytes16 raw[kRowTiles][2][Format::kLoads];
      uint32_t factor[kRowTiles][2];
      DSV4_UNROLL
      for (int half = 0; half < 2 * kRowTiles; ++half) {
        const int r = row + half * 8;
        DSV4_UNROLL
        for (int i = 0; i < Format::kLoads; ++i) {
          const int chunk = (s * 4 + t) * Format::kLoads + i;
          raw[half / 2][half % 2][i] = *reinterpret_cast<const Bytes16*>(
              stage + (r * kWeightChunks + weight_place(r, chunk)) * 16);
        }
        factor[half / 2][half % 2] = 0;
        if constexpr (F == WeightFormat::kFp4Block32) {
          const auto* scales = reinterpret_cast<const uint8_t*>(stage + kWeightBytes + kTokenBytes);
          factor[half / 2][half % 2] = Format::factor(scales[r * 4 + t]);
        }
      }
      DSV4_UNROLL
      for (int u = 0; u < Format::kUnits; ++u) {
        multiply_units(stage + kWeightBytes, token, (s * 4 + t) * Format::kUnits + u, raw, factor,
                       u, d);
      }
    }
  }

  static DSV4_LANE void multiply_units(const char* tokens, int token, int chunk,
                                       const Bytes16 (&raw)[kRowTiles][2][Format::kLoads],
                                       const uint32_t (&factor)[kRowTiles][2], int u,
                                       float (&d)[kRowTiles][kTokenTiles][4]) {
    uint32_t low[kRowTiles][Format::kParts][4];
    uint32_t high[kRowTiles][Format::kParts][4];
    DSV4_UNROLL
    for (int m = 0; m < kRowTiles; ++m) {
      Format::unit(raw[m][0], u, factor[m][0], low[m]);
      Format::unit(raw[m][1], u, factor[m][1], high[m]);
    }
    DSV4_UNROLL
    for (int n = 0; n < kTokenTiles; ++n) {
      const int at = token + n * kTileTokens;
      Bytes16 b[kXParts];
      DSV4_UNROLL
      for (int part = 0; part < kXParts; ++part) {
        b[part] = *reinterpret_cast<const Bytes16*>(
            tokens + ((part * kTokens + at) * kTokenChunks + token_place(at, chunk)) * 16);
      }
      DSV4_UNROLL
      for (int m = 0; m < kRowTiles; ++m) {
        multiply_unit<Format::kParts, kXParts>(low[m], high[m], b, d[m][n]);
      }
    }
  }

  static DSV4_LANE void add_up(const ProductTarget& target, int64_t row, int64_t block,
                               const char* stage, float (&d)[kRowTiles][kTokenTiles][4],
                               float (&sum)[kRowTiles][kTokenTiles][4]) {
    const float scale = block_scale<F>(target.weight, row, block);
    const auto* scales =
        reinterpret_cast<const float*>(stage + kWeightBytes + kTokenBytes + kFactorBytes);
    const int token = warp() / kRowWarps * kTokenTiles * kTileTokens + lane() % 4 * 2;
    DSV4_UNROLL
    for (int n = 0; n < kTokenTiles; ++n) {
      DSV4_UNROLL
      for (int j = 0; j < 2; ++j) {
        const float both = kXParts == 1 ? scale * scales[token + n * kTileTokens + j] : scale;
        DSV4_UNROLL
        for (int m = 0; m < kRowTiles; ++m) {
          DSV4_UNROLL
          for (int i = j; i < 4; i += 2) {
            sum[m][n][i] = fmaf(d[m][n][i], both, sum[m][n][i]);
            d[m][n][i] = 0.0F;
          }
        }
      }
    }
  }

  static DSV4_LANE void store(const ProductTarget& target, const TokenTile& tile, int64_t row,
                              const float (&sum)[kRowTiles][kTokenTiles][4]) {
    const int token = warp() / kRowWarps * kTokenTiles * kTileTokens + lane() % 4 * 2;
    const int64_t first = row + warp() % kRowWarps * kRowTiles * kTileRows + lane() / 4;
    DSV4_UNROLL
    for (int n = 0; n < kTokenTiles; ++n) {
      DSV4_UNROLL
      for (int j = 0; j < 4; ++j) {
        const int at = token + n * kTileTokens + j % 2;
        if (at >= tile.count) continue;
        float* y = target.y + (tile.first + at) * target.y_stride;
        DSV4_UNROLL
        for (int m = 0; m < kRowTiles; ++m) {
          const int64_t r = first + m * kTileRows + j / 2 * 8;
          if (r < target.weight.rows) y[r] = sum[m][n][j];
        }
      }
    }
  }
};

}  // namespace dsv4::kernels::cuda
