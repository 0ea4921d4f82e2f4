#pragma once

#include "kernels/cuda/lane.h"
#include "kernels/matmul/matmul.h"
#include "kernels/rounding/rounding_lanes.h"

// Activations as the products of the tensor cores read them. Columns come in blocks of 128, the
// last one filled up with zeros; each is a bf16 number, or three of them whose sum it is exactly.
// Within eight columns the order is 0 4 1 5 2 6 3 7, so that a register has what stands 16 bits
// apart in a word of eight FP4 codes.

namespace dsv4::kernels::cuda {

inline constexpr int kBlockCols = 128;
inline constexpr int kSplitParts = 3;

DSV4_BOTH int64_t blocks_of(int64_t cols) { return (cols + kBlockCols - 1) / kBlockCols; }

// How `tokens` rows of `cols` numbers lie in memory.
struct ActivationRows {
  uint16_t* parts = nullptr;  // [parts, tokens, blocks, 128]
  float* scale = nullptr;     // [tokens, blocks]; null for numbers that are not rounded
  int64_t tokens = 0;
  int64_t blocks = 0;

  DSV4_BOTH int64_t stride() const { return blocks * kBlockCols; }
  DSV4_BOTH int64_t part_stride() const { return tokens * stride(); }
};

inline int64_t activation_bytes(int64_t tokens, int64_t cols, ActivationRounding rounding) {
  const int64_t numbers = tokens * blocks_of(cols) * kBlockCols;
  const bool rounds = rounding != ActivationRounding::kNone;
  const int64_t bytes = rounds ? numbers * 2 + numbers / kBlockCols * 4 : numbers * kSplitParts * 2;
  return (bytes + 255) / 256 * 256;
}

// In memory of that many bytes.
inline ActivationRows activation_rows(int64_t tokens, int64_t cols, ActivationRounding rounding,
                                      void* memory) {
  ActivationRows rows;
  rows.parts = static_cast<uint16_t*>(memory);
  rows.tokens = tokens;
  rows.blocks = blocks_of(cols);
  if (rounding != ActivationRounding::kNone) {
    rows.scale = reinterpret_cast<float*>(rows.parts + rows.part_stride());
  }
  return rows;
}

// x as three bf16 numbers whose sum it is, each the nearest to what is left; what is not finite is
// the last one alone, since Inf takes away from Inf.
DSV4_LANE void split_number(float x, uint32_t (&part)[kSplitParts]) {
  const uint32_t bits = bits_of(x);
  part[0] = part[1] = 0;
  part[2] = encode_bf16_bits(x);
  if ((bits & 0x7f800000U) == 0x7f800000U) return;
  // The nearest to the largest numbers of float32 would be infinite.
  part[0] = (part[2] & 0x7f80U) == 0x7f80U ? bits >> 16 : part[2];
  const float after = x - float_of(part[0] << 16);
  part[1] = encode_bf16_bits(after);
  part[2] = encode_bf16_bits(after - float_of(part[1] << 16));
}

// Writes one part of a block's 128 numbers, of which this lane has the four from column 4 * lane
// on.
DSV4_LANE void store_part(const uint32_t (&number)[4], uint16_t* block) {
  const bool odd = lane() % 2 == 1;
  const uint32_t given = odd ? number[0] | number[1] << 16 : number[2] | number[3] << 16;
  const uint32_t taken = shuffle_xor(given, 1);
  uint32_t first = 0;
  uint32_t second = 0;
  if (odd) {
    first = (taken & 0xffffU) | number[2] << 16;
    second = taken >> 16 | number[3] << 16;
  } else {
    first = number[0] | taken << 16;
    second = number[1] | (taken & 0xffff0000U);
  }
  auto* to = reinterpret_cast<uint32_t*>(block) + lane() * 2;
  to[0] = first;
  to[1] = second;
}

// Prepares one block of 128 columns of a token; all lanes of a warp call it, each with the numbers
// of four columns from 4 * lane on, zeros beyond the last.
DSV4_LANE void prepare_block(const float (&x)[4], const ActivationRows& to, int64_t token,
                             int64_t block) {
  uint16_t* at = to.parts + (token * to.blocks + block) * kBlockCols;
  uint32_t number[4];
  if (to.scale != nullptr) {
    float largest = 0.0F;
    DSV4_UNROLL
    for (const float v : x) largest = larger_magnitude(largest, v);
    DSV4_UNROLL
    for (int mask = kWarp / 2; mask > 0; mask /= 2) {
      largest = larger_magnitude(largest, shuffle_xor(largest, mask));
    }
    const float scale = block_scale_of<Fp8Lanes>(largest);
    const float inverse = inverse_scale(scale);
    const bool damaged = is_nan_bits(bits_of(scale));
    DSV4_UNROLL
    for (int i = 0; i < 4; ++i) {
      number[i] = damaged ? 0 : bits_of(nearest_of<Fp8Lanes>(x[i] * inverse)) >> 16;
    }
    if (lane() == 0) to.scale[token * to.blocks + block] = scale;
    store_part(number, at);
    return;
  }
  uint32_t parts[4][kSplitParts];
  DSV4_UNROLL
  for (int i = 0; i < 4; ++i) split_number(x[i], parts[i]);
  DSV4_UNROLL
  for (int part = 0; part < kSplitParts; ++part) {
    DSV4_UNROLL
    for (int i = 0; i < 4; ++i) number[i] = parts[i][part];
    store_part(number, at + part * to.part_stride());
  }
}

// Four numbers of a row of `cols` from column `from` on, zeros beyond the last.
DSV4_LANE void load_four(const float* row, int64_t from, int64_t cols, float (&x)[4]) {
  DSV4_UNROLL
  for (int i = 0; i < 4; ++i) x[i] = from + i < cols ? row[from + i] : 0.0F;
}

}  // namespace dsv4::kernels::cuda
