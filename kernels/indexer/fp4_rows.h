#pragma once

// FP4 keys of the published width scored as they lie in memory, by the byte instructions of AVX-512
// (VNNI and VBMI): for so few queries that turning keys into columns first (fp4_columns.h) would
// cost more than all the rest. The same numbers, bit for bit.

#if defined(__x86_64__)
#include <cstdint>

#include "kernels/indexer/fp4_keys.h"

namespace dsv4::kernels {

inline constexpr int64_t kMostRowsHeads = 4;  // beyond, columns are faster

// rows: Fp4Keys::kRows of them, one after the other. scale: 2^m / 2 of each, 0 where the scales lie
// too far apart. Returns whether any do.
bool score_rows(const Fp4Queries& queries, const uint8_t* rows, float* scale, float* scores);

}  // namespace dsv4::kernels
#endif
