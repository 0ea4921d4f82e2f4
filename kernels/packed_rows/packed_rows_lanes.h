#pragma once

#include "kernels/packed_rows/packed_rows.h"
#include "kernels/rounding/rounding_lanes.h"

// kernels/packed_rows for lanes: bytes that are those of pack_row and store_row.

namespace dsv4::kernels::cuda {

inline constexpr int kFp8RowBlock = 64;  // codes that share a scale
inline constexpr int kFp4RowBlock = 32;

// A RowLayout with everything that lanes ask it for.
struct PackedShape {
  RowFormat format = RowFormat::kF32;
  int32_t dim = 0;
  int32_t codes = 0;  // channels that are codes
  int32_t bytes = 0;  // of a row
  int32_t group = 1;
  int32_t scales = 0;  // where the scales of a row begin
  int32_t tail = 0;    // where the channels begin that are no codes
};

inline PackedShape packed_shape(const RowLayout& layout) {
  PackedShape s;
  s.format = layout.format;
  s.dim = static_cast<int32_t>(layout.dim);
  s.bytes = static_cast<int32_t>(layout.bytes());
  s.group = static_cast<int32_t>(layout.group());
  if (layout.format == RowFormat::kF32) return s;
  s.codes = static_cast<int32_t>(layout.dim - layout.rope);
  const bool fp4 = layout.format == RowFormat::kFp4;
  if (fp4) s.codes = s.dim;
  s.scales = fp4 ? (s.codes + 1) / 2 : s.codes;
  s.tail = s.scales + (s.codes + kFp8RowBlock - 1) / kFp8RowBlock;
  return s;
}

// Where byte `offset` of row i of a page is.
DSV4_LANE int64_t packed_at(const PackedShape& s, int64_t i, int offset) {
  if (s.group == 1) return i * s.bytes + offset;
  const int64_t begin = i / s.group * s.group * s.bytes;
  const auto in_group = static_cast<int>(i % s.group);
  if (offset >= s.scales) return begin + int64_t{offset} * s.group + in_group;
  return begin + int64_t{offset & ~3} * s.group + in_group * 4 + (offset & 3);
}

// Channel c of row i of a page: exactly the number that it stands for.
DSV4_LANE float packed_value(const PackedShape& s, const uint8_t* page, int64_t i, int c) {
  if (s.format == RowFormat::kF32) {
    return reinterpret_cast<const float*>(page)[i * s.dim + c];
  }
  if (s.format == RowFormat::kFp4) {
    const uint32_t byte = page[packed_at(s, i, c / 2)];
    const uint32_t scale = page[packed_at(s, i, s.scales + c / kFp4RowBlock)];
    return decode_fp4(c % 2 == 0 ? byte : byte >> 4) * decode_scale(scale);
  }
  const uint8_t* row = page + i * s.bytes;
  if (c < s.codes) return decode_fp8(row[c]) * decode_scale(row[s.scales + c / kFp8RowBlock]);
  if (s.format == RowFormat::kFp8Bf16) {
    const uint8_t* at = row + s.tail + 2 * (c - s.codes);
    return float_of(static_cast<uint32_t>(at[0]) << 16 | static_cast<uint32_t>(at[1]) << 24);
  }
  const uint8_t* at = row + s.tail + 4 * (c - s.codes);
  return float_of(at[0] | static_cast<uint32_t>(at[1]) << 8 | static_cast<uint32_t>(at[2]) << 16 |
                  static_cast<uint32_t>(at[3]) << 24);
}

// The largest magnitude of the warp's, NaN above all.
DSV4_LANE float warp_magnitude(float value) {
  for (int mask = kWarp / 2; mask > 0; mask /= 2) {
    value = larger_magnitude(value, shuffle_xor(value, mask));
  }
  return value;
}

// A warp packs block `block` of x [dim] into row i of a page: 64 channels of FP8, or 32 of FP4.
// Blocks past the last of the codes do nothing; all lanes of the warp call it.
DSV4_LANE void pack_block(const PackedShape& s, const float* x, int block, uint8_t* page,
                          int64_t i) {
  if (s.format == RowFormat::kFp4) {
    const int c = block * kFp4RowBlock + lane();
    const float v = c < s.codes ? x[c] : 0.0F;
    const float scale = block_scale_of<Fp4Lanes>(warp_magnitude(v));
    const uint32_t code = c < s.codes ? encode_scaled<Fp4Lanes>(v, scale) : 0U;
    const uint32_t next = shuffle_xor(code, 1);
    if (c < s.codes && c % 2 == 0) {
      page[packed_at(s, i, c / 2)] = static_cast<uint8_t>(code | next << 4);
    }
    if (lane() == 0 && block * kFp4RowBlock < s.codes) {
      page[packed_at(s, i, s.scales + block)] = static_cast<uint8_t>(scale_byte(scale));
    }
    return;
  }
  const int c = block * kFp8RowBlock + lane();
  const float low = c < s.codes ? x[c] : 0.0F;
  const float high = c + kWarp < s.codes ? x[c + kWarp] : 0.0F;
  const float scale = block_scale_of<Fp8Lanes>(warp_magnitude(larger_magnitude(low, high)));
  uint8_t* row = page + i * s.bytes;
  if (c < s.codes) row[c] = static_cast<uint8_t>(encode_scaled<Fp8Lanes>(low, scale));
  if (c + kWarp < s.codes) {
    row[c + kWarp] = static_cast<uint8_t>(encode_scaled<Fp8Lanes>(high, scale));
  }
  if (lane() == 0 && block * kFp8RowBlock < s.codes) {
    row[s.scales + block] = static_cast<uint8_t>(scale_byte(scale));
  }
}

// Some warps, `warps` of them, pack x [dim] into row i of a page; this is number `mine`. x may be
// shared memory, written before.
DSV4_LANE void pack_row(const PackedShape& s, const float* x, uint8_t* page, int64_t i, int mine,
                        int warps) {
  if (s.format == RowFormat::kF32) {
    auto* row = reinterpret_cast<float*>(page) + i * s.dim;
    for (int c = mine * kWarp + lane(); c < s.dim; c += warps * kWarp) row[c] = x[c];
    return;
  }
  const int length = s.format == RowFormat::kFp4 ? kFp4RowBlock : kFp8RowBlock;
  for (int b = mine; b * length < s.codes; b += warps) pack_block(s, x, b, page, i);
  uint8_t* tail = page + i * s.bytes + s.tail;
  for (int c = s.codes + mine * kWarp + lane(); c < s.dim; c += warps * kWarp) {
    const bool short_ones = s.format == RowFormat::kFp8Bf16;
    const uint32_t bits = short_ones ? encode_bf16_bits(x[c]) : bits_of(x[c]);
    const int size = short_ones ? 2 : 4;
    for (int b = 0; b < size; ++b) {
      tail[size * (c - s.codes) + b] = static_cast<uint8_t>(bits >> (8 * b));
    }
  }
}

}  // namespace dsv4::kernels::cuda
