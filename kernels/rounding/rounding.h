#pragma once

#include <cstdint>

namespace dsv4::kernels {

// The number formats of published checkpoints, and rounding through them (deepseek-v4.md section
// 4). All of it is exact arithmetic on powers of two: there is one right answer for every input.

// float8_e4m3fn: sign, 4 exponent bits (bias 7), 3 mantissa bits; no infinities, 0x7f and 0xff are
// NaN, the largest value is 448.
float decode_e4m3(uint8_t code);

// The nearest code, ties to the even one. Values beyond 448 saturate, as the activation rounding
// clamps them; NaN stays NaN.
uint8_t encode_e4m3(float value);

// e8m0, the scales: 2^(byte - 127); 255 is NaN.
float decode_e8m0(uint8_t byte);

// e2m1 (FP4) in the low four bits: 0, .5, 1, 1.5, 2, 3, 4, 6 and their negatives.
float decode_e2m1(uint8_t code);

// The nearest code, ties to the even one, saturating at 6. NaN, which has no code here, becomes 6.
uint8_t encode_e2m1(float value);

// bfloat16: a float's upper half. Encoding rounds to the nearest, ties to even; NaN stays NaN.
uint16_t encode_bf16(float value);
float decode_bf16(uint16_t bits);

// The power-of-two scales of one block with largest magnitude `amax`:
// 2^ceil(log2(max(amax, 1e-4) / 448)) and 2^ceil(log2(max(amax, 6 * 2^-126) / 6)).
// NaN for an amax that is NaN or infinite.
float fp8_block_scale(float amax);
float fp4_block_scale(float amax);

// Replaces x[0..n) by what it is after a trip through the format in blocks of `block` values (the
// last block may be shorter). A block that holds NaN or Inf becomes NaN throughout, so that a fault
// shows instead of passing as a plausible number.
void round_fp8_blocks(float* x, int64_t n, int64_t block);
void round_fp4_blocks(float* x, int64_t n, int64_t block);

}  // namespace dsv4::kernels
