#pragma once

// FP4 keys of the published width scored by the byte instructions of AVX-512 (VNNI and VBMI),
// sixteen keys in the lanes of a register: a lane's four bytes are multiplied with the same four of
// the query, and nothing is left to add up across lanes. For many queries: keys are unpacked once.

#if defined(__x86_64__)
#include <cstdint>

#include "kernels/indexer/fp4_keys.h"

namespace dsv4::kernels {

// columns [16][2][kFp4Group][4]: of eight channels each the four even ones of every key, then the
// four odd ones, shifted up by 48.
void unpack_columns(const uint8_t* group, const Fp4Scales& scales, uint8_t* columns);

// scores [kFp4Group].
void score_columns(const Fp4Queries& queries, const uint8_t* columns, const Fp4Scales& scales,
                   float* scores);

}  // namespace dsv4::kernels
#endif
