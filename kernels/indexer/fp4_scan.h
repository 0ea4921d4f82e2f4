#pragma once

// FP4 keys of the published width scored as they lie in memory by the byte instructions of AVX-512
// (VNNI and VBMI), for so few queries that unpacking keys first (fp4_columns.h) would cost more
// than all the rest. The same numbers, bit for bit.

#if defined(__x86_64__)
#include <cstdint>

#include "kernels/indexer/best.h"
#include "kernels/indexer/fp4_keys.h"

namespace dsv4::kernels {

inline constexpr int64_t kMostScanHeads = 4;  // beyond, columns are faster

// Groups of keys at begin, begin + step and so on, below end.
struct KeyRange {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t step = kFp4Group;
};

bool can_scan(Isa isa, int64_t dim, int64_t heads);

// Offers the scores of the keys in the range to `best`.
void scan_keys(const Fp4Queries& queries, const PagedRows& keys, const KeyRange& range,
               OneByOne& one_by_one, Best& best);

}  // namespace dsv4::kernels
#endif
