#pragma once

// FP4 keys of the published width scored by the byte instructions of AVX-512 (VNNI and VBMI),
// sixteen keys in the lanes of a register: a lane's four bytes are multiplied with the same four of
// the query, and nothing is left to add up across lanes.

#if defined(__x86_64__)
#include <cstdint>

#include "kernels/indexer/fp4_keys.h"

namespace dsv4::kernels {

inline constexpr int64_t kColumnsRows = Fp4Keys::kRows;

// rows: kColumnsRows of them, one after the other.
// columns [16][2][kColumnsRows][4]: of eight channels each the four even ones of every key, then
// the four odd ones, shifted up by 48. scale [kColumnsRows]: 2^m / 2 of each key, 0 where the
// scales lie too far apart.
// Returns whether any do.
bool unpack_columns(const uint8_t* rows, uint8_t* columns, float* scale);

// scores [kColumnsRows].
void score_columns(const Fp4Queries& queries, const uint8_t* columns, const float* scale,
                   float* scores);

}  // namespace dsv4::kernels
#endif
