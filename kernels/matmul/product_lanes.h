#pragma once

#include "kernels/cuda/lane.h"
#include "kernels/matmul/activations_lanes.h"
#include "kernels/matmul/matmul.h"

// How a warp multiplies 16 rows of a weight matrix with up to 8 tokens. The rows are the side of 16
// of a tensor core's product, the tokens that of 8. In each of its products a lane has four numbers
// of two rows, and it does not matter which columns they are of as long as the tokens' are the
// same: so a lane reads 16 bytes of a row at once and uses its own.
//
// The order of all sums is the same for every number of tokens and every kernel: the columns of a
// block of 128 on the tensor cores, as step() has them; then block after block, each with its
// scales.

namespace dsv4::kernels::cuda {

inline constexpr int kTileRows = 16;
inline constexpr int kTileTokens = 8;

// e2m1 weights are multiplied by their scales as bf16 numbers, which are kept in the middle of
// their range: 2^-64 of what they stand for.
inline constexpr float kFp4ScaledUp = 0x1p64F;

template <WeightFormat F>
struct FormatLanes;

// A unit is eight consecutive columns of a row, in registers (0, 4), (1, 5), (2, 6), (3, 7).
// kUnits of them are in the bytes a lane reads of a row in one step, kLoads times 16.
template <>
struct FormatLanes<WeightFormat::kFp4Block32> {
  static constexpr int kBits = 4;
  static constexpr int kUnits = 4;
  static constexpr int kLoads = 1;
  static constexpr int kParts = 1;
  static constexpr int kBlocksAtOnce = 2;

  // Twice the bf16 number that scales codes placed as below.
  static DSV4_LANE uint32_t factor(uint32_t scale) {
    const uint32_t bits = scale <= 192U ? (scale + 62U) << 7 : 0x7fc0U;
    return bits | bits << 16;
  }
  // As the lowest bits of a bf16's exponent and the highest of its fraction a code is 2^-126 of its
  // number, subnormal or not. One multiplication brings two copies of it there and to the sign.
  template <int kBit>
  static DSV4_LANE uint32_t pair(uint32_t word, uint32_t factor) {
    constexpr uint32_t kMask = 0x000f000fU << kBit;
    constexpr uint32_t kCopies = 1U << (6 - kBit) | 1U << (12 - kBit);
    return multiply_pairs((word & kMask) * kCopies & 0x81c081c0U, factor);
  }
  static DSV4_LANE void unit(const Bytes16* raw, int u, uint32_t factor, uint32_t (&out)[1][4]) {
    const uint32_t word = raw[0].word[u];
    const uint32_t after = word >> 8;
    out[0][0] = pair<0>(word, factor);
    out[0][1] = pair<4>(word, factor);
    out[0][2] = pair<0>(after, factor);
    out[0][3] = pair<4>(after, factor);
  }
};

template <>
struct FormatLanes<WeightFormat::kFp8Block128> {
  static constexpr int kBits = 8;
  static constexpr int kUnits = 2;
  static constexpr int kLoads = 1;
  static constexpr int kParts = 1;
  static constexpr int kBlocksAtOnce = 1;

  // Byte i of both words as bf16 numbers: so placed they are 2^-120 of theirs.
  template <int kByte>
  static DSV4_LANE uint32_t pair(uint32_t low, uint32_t high) {
    constexpr uint32_t kUp = 0x7b807b80U;  // 2^120, twice
    const uint32_t apart = bytes_of<(kByte << 4 | (kByte + 4) << 12)>(low, high);
    return multiply_pairs((apart & 0x80008000U) | (apart >> 4 & 0x07f007f0U), kUp);
  }
  static DSV4_LANE void unit(const Bytes16* raw, int u, uint32_t, uint32_t (&out)[1][4]) {
    const uint32_t low = raw[0].word[2 * u];
    const uint32_t high = raw[0].word[2 * u + 1];
    out[0][0] = pair<0>(low, high);
    out[0][1] = pair<1>(low, high);
    out[0][2] = pair<2>(low, high);
    out[0][3] = pair<3>(low, high);
  }
};

template <>
struct FormatLanes<WeightFormat::kBf16> {
  static constexpr int kBits = 16;
  static constexpr int kUnits = 1;
  static constexpr int kLoads = 1;
  static constexpr int kParts = 1;
  static constexpr int kBlocksAtOnce = 1;

  static DSV4_LANE void unit(const Bytes16* raw, int, uint32_t, uint32_t (&out)[1][4]) {
    const uint32_t(&w)[4] = raw[0].word;
    out[0][0] = bytes_of<0x5410>(w[0], w[2]);
    out[0][1] = bytes_of<0x7632>(w[0], w[2]);
    out[0][2] = bytes_of<0x5410>(w[1], w[3]);
    out[0][3] = bytes_of<0x7632>(w[1], w[3]);
  }
};

template <>
struct FormatLanes<WeightFormat::kF32> {
  static constexpr int kBits = 32;
  static constexpr int kUnits = 1;
  static constexpr int kLoads = 2;
  static constexpr int kParts = kSplitParts;
  static constexpr int kBlocksAtOnce = 1;

  static DSV4_LANE void unit(const Bytes16* raw, int, uint32_t, uint32_t (&out)[kParts][4]) {
    DSV4_UNROLL
    for (int i = 0; i < 4; ++i) {
      uint32_t low[kParts];
      uint32_t high[kParts];
      split_number(float_of(raw[0].word[i]), low);
      split_number(float_of(raw[1].word[i]), high);
      DSV4_UNROLL
      for (int part = 0; part < kParts; ++part) out[part][i] = low[part] | high[part] << 16;
    }
  }
};

// Where in a block of 128 columns a lane's bytes are: step s has kStepCols of them, this lane's
// from column() on.
template <WeightFormat F>
struct StepLanes {
  using Format = FormatLanes<F>;
  static constexpr int kLaneCols = Format::kUnits * 8;
  static constexpr int kStepCols = kLaneCols * 4;
  static constexpr int kSteps = kBlockCols / kStepCols;
  static DSV4_LANE int column(int step) { return step * kStepCols + lane() % 4 * kLaneCols; }
};

// What a lane has read of rows g and g + 8 (g = lane / 4) of a block.
template <WeightFormat F>
struct RawBlock {
  Bytes16 bytes[2][StepLanes<F>::kSteps][FormatLanes<F>::kLoads];
  uint32_t factor[2];  // FP4 only
};

// The bytes from `from` on of which only the first `valid` are there, zeros after them.
DSV4_LANE Bytes16 load_some(const uint8_t* from, int64_t valid) {
  Bytes16 out;
  DSV4_UNROLL
  for (int i = 0; i < 4; ++i) {
    uint32_t word = 0;
    DSV4_ROLLED
    for (int b = 0; b < 4 && 4 * i + b < valid; ++b) {
      word |= static_cast<uint32_t>(from[4 * i + b]) << 8 * b;
    }
    out.word[i] = word;
  }
  return out;
}

template <WeightFormat F>
DSV4_BOTH int64_t row_bytes(int64_t cols) {
  return cols * FormatLanes<F>::kBits / 8;
}

// Whether rows may be read 16 bytes at a time.
template <WeightFormat F>
DSV4_BOTH bool reads_whole(const void* data, int64_t cols) {
  return (reinterpret_cast<uintptr_t>(data) % 16 |
          static_cast<uintptr_t>(row_bytes<F>(cols) % 16)) == 0;
}

// The row of which a lane has the numbers in this half of the 16 from `row` on; the last one where
// there are no more.
DSV4_LANE int64_t lane_row(const WeightMatrix& w, int64_t row, int half) {
  const int64_t r = row + lane() / 4 + 8 * half;
  return r < w.rows ? r : w.rows - 1;
}

// Reads the lane's bytes of a block of rows row + g and row + g + 8; rows beyond the last are the
// last, columns beyond the last zeros.
template <WeightFormat F>
DSV4_LANE void load_block(const WeightMatrix& w, bool whole, int64_t row, int64_t block,
                          RawBlock<F>& raw) {
  using Step = StepLanes<F>;
  constexpr int kBits = FormatLanes<F>::kBits;
  const int64_t bytes = row_bytes<F>(w.cols);
  DSV4_UNROLL
  for (int half = 0; half < 2; ++half) {
    const int64_t r = lane_row(w, row, half);
    const auto* from = static_cast<const uint8_t*>(w.data) + r * bytes;
    if (whole && (block + 1) * kBlockCols <= w.cols) {
      DSV4_UNROLL
      for (int s = 0; s < Step::kSteps; ++s) {
        const int64_t col = block * kBlockCols + Step::column(s);
        DSV4_UNROLL
        for (int i = 0; i < FormatLanes<F>::kLoads; ++i) {
          raw.bytes[half][s][i] = load_once(from + col * kBits / 8 + 16 * i);
        }
      }
    } else {
      DSV4_UNROLL
      for (int s = 0; s < Step::kSteps; ++s) {
        const int64_t at = (block * kBlockCols + Step::column(s)) * kBits / 8;
        DSV4_UNROLL
        for (int i = 0; i < FormatLanes<F>::kLoads; ++i) {
          raw.bytes[half][s][i] = load_some(from + at + 16 * i, bytes - at - 16 * i);
        }
      }
    }
    if constexpr (F == WeightFormat::kFp4Block32) {
      const int64_t scales = w.cols / 32;
      const int64_t at = block * 4 + lane() % 4;
      raw.factor[half] = at < scales ? w.scale[r * scales + at] : 127U;
    }
  }
}

// d += the products of a unit's parts, but for those of parts that are small on both sides.
template <int kParts, int kXParts>
DSV4_LANE void multiply_unit(const uint32_t (&low)[kParts][4], const uint32_t (&high)[kParts][4],
                             const Bytes16 (&b)[kXParts], float (&d)[4]) {
  DSV4_UNROLL
  for (int i = 0; i < kParts; ++i) {
    DSV4_UNROLL
    for (int j = 0; j < kXParts && i + j < kSplitParts; ++j) {
      const uint32_t first[4] = {low[i][0], high[i][0], low[i][1], high[i][1]};
      const uint32_t second[4] = {low[i][2], high[i][2], low[i][3], high[i][3]};
      multiply_bf16(d, first, {b[j].word[0], b[j].word[1]});
      multiply_bf16(d, second, {b[j].word[2], b[j].word[3]});
    }
  }
}

// d += the product of a block with the tokens of a tile: `x` is the block of this lane's token
// (lane / 4) as it was prepared.
template <WeightFormat F, int kXParts>
DSV4_LANE void multiply_block(const RawBlock<F>& raw, const uint16_t* x, int64_t part_stride,
                              float (&d)[4]) {
  using Step = StepLanes<F>;
  using Format = FormatLanes<F>;
  uint32_t factor[2] = {};
  if constexpr (F == WeightFormat::kFp4Block32) {
    DSV4_UNROLL
    for (int half = 0; half < 2; ++half) factor[half] = Format::factor(raw.factor[half]);
  }
  DSV4_UNROLL
  for (int s = 0; s < Step::kSteps; ++s) {
    DSV4_UNROLL
    for (int u = 0; u < Format::kUnits; ++u) {
      uint32_t low[Format::kParts][4];
      uint32_t high[Format::kParts][4];
      Format::unit(raw.bytes[0][s], u, factor[0], low);
      Format::unit(raw.bytes[1][s], u, factor[1], high);
      Bytes16 b[kXParts];
      DSV4_UNROLL
      for (int part = 0; part < kXParts; ++part) {
        const uint16_t* from = x + part * part_stride + Step::column(s) + 8 * u;
        b[part] = *reinterpret_cast<const Bytes16*>(from);
      }
      multiply_unit<Format::kParts, kXParts>(low, high, b, d);
    }
  }
}

// What a block's sum is multiplied with after the token's scale. A power of two, as that is, so
// that it does not matter whether the product is rounded before it is added to the row's.
template <WeightFormat F>
DSV4_LANE float block_scale(const WeightMatrix& w, int64_t row, int64_t block) {
  if constexpr (F == WeightFormat::kFp4Block32) return kFp4ScaledUp;
  if constexpr (F == WeightFormat::kFp8Block128) {
    return decode_scale(w.scale[row / kBlockCols * blocks_of(w.cols) + block]);
  }
  return 1.0F;
}

}  // namespace dsv4::kernels::cuda
