#pragma once

// Scoring FP4 keys with byte arithmetic: e2m1 values are small multiples of one half, so that a
// block's dot product is an exact sum of byte products. Included by the indexer's own files only;
// the functions need a processor with AVX2.

#if defined(__x86_64__)
#include <cstdint>
#include <vector>

#include "kernels/indexer/indexer.h"

namespace dsv4::kernels {

// One token's queries. Within a block of 32 the even channels come first, as keys unpack. A row of
// e2m1 values with scales 2^e becomes bytes times 2^m / 2, m the smallest e, when no e is above
// m + 2: then they are at most 48, and sums of byte products fit their registers.
struct Fp4Queries {
  bool usable = false;          // false: the scales lie too far apart
  std::vector<int8_t> bytes;    // [heads, dim]
  std::vector<int32_t> offset;  // [heads]: what keys shifted to be unsigned add to a dot product
  std::vector<float> factor;    // [heads]: weight times 2^m / 2
};

// Whether keys of this layout can be scored so: kFp4, and dim a multiple of 32.
bool has_byte_scores(const RowLayout& layout);

// Token t's. p.q holds numbers that are their own FP4 rounding.
Fp4Queries byte_queries(const IndexerParams& p, int64_t t);

// The smallest scale byte of an FP4 row whose scales are near enough to each other; -1 when they
// are not, or are NaN.
int common_scale(const uint8_t* row, int64_t dim);

// Some keys, ready to be scored with byte arithmetic.
class Fp4Keys {
 public:
  static constexpr int64_t kRows = 32;  // at most

  // heads: how many queries' heads will be scored with the same keys.
  Fp4Keys(Isa isa, int64_t dim, int64_t heads);

  // Rows [first, first + n).
  void take(const PagedRows& keys, int64_t first, int64_t n);

  // scores [kRows]: of those rows; what wide ones get means nothing.
  void score(const Fp4Queries& queries, float* scores);

  // Rows whose scales lie too far apart. Known after the first score.
  bool wide(int64_t i) const { return scale_[i] == 0.0F; }
  bool any_wide() const { return any_wide_; }

 private:
  // How they lie: one after the other, turned into columns (fp4_columns.h), or where they were
  // found (fp4_rows.h).
  enum class Form { kBytes, kColumns, kInPlace };
  static Form form_of(Isa isa, int64_t dim, int64_t heads);
  void gather(const PagedRows& keys, int64_t first, int64_t n);

  int64_t dim_;
  Form form_;
  int64_t count_ = 0;
  bool any_wide_ = false;
  float scale_[kRows] = {};
  const uint8_t* rows_ = nullptr;  // kRows of them, one after the other
  std::vector<uint8_t> gathered_;  // rows that did not lie so
  std::vector<uint8_t> bytes_;     // [kRows, dim], shifted up by 48; not when in place
};

}  // namespace dsv4::kernels
#endif
