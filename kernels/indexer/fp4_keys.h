#pragma once

// Scoring FP4 keys with byte arithmetic: e2m1 values are small multiples of one half, so that a
// block's dot product is an exact sum of byte products. Included by the indexer's own files only;
// the functions need a processor with AVX2.

#if defined(__x86_64__)
#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/indexer/indexer.h"

namespace dsv4::kernels {

inline constexpr int64_t kKeyBlock = 32;  // channels that share a scale
inline constexpr int kScaleSpread = 2;    // scales of a row may differ by this power of two

// One token's queries. Within a block of 32 the even channels come first, as keys unpack. A row of
// e2m1 values with scales 2^e becomes bytes times 2^m / 2, m the smallest e, when no e is above
// m + 2: then they are at most 48, and sums of byte products fit their registers.
struct Fp4Queries {
  bool usable = false;        // false: the scales lie too far apart
  std::vector<int8_t> bytes;  // [heads, dim]
  std::vector<int32_t> sums;  // [heads, dim / 32]: of the bytes of each block
  std::vector<float> factor;  // [heads]: weight times 2^m / 2
};

// Whether keys of this layout can be scored so: kFp4, and dim a multiple of 32.
bool has_byte_scores(const RowLayout& layout);

// Token t's. p.q holds numbers that are their own FP4 rounding.
Fp4Queries byte_queries(const IndexerParams& p, int64_t t);

// The scales of the keys of a group (RowLayout::group).
struct Fp4Scales {
  explicit Fp4Scales(int64_t dim) : up(static_cast<size_t>(dim / kKeyBlock * kFp4Group)) {}

  std::vector<uint8_t> up;  // [dim / 32, kFp4Group]: by which power of two blocks are above 2^m
  float factor[kFp4Group] = {};  // 2^m / 2 of each key
  uint32_t wide = 0;             // a bit for each key whose scales lie too far apart
};

// A key's score from its numbers, for those that byte arithmetic cannot score.
class OneByOne {
 public:
  OneByOne(const IndexerParams& p, int64_t t);
  float score(int64_t key);

 private:
  const IndexerParams& p_;
  int64_t t_;
  std::vector<uint8_t> row_;
  std::vector<float> key_;
};

// The score of key `key` of a group, in the byte arithmetic of the others; nothing when its scales
// lie too far apart.
std::optional<float> score_alone(const Fp4Queries& queries, const uint8_t* group, int64_t dim,
                                 int64_t key);

// A group of keys, unpacked to be scored with many queries.
class Fp4Keys {
 public:
  Fp4Keys(Isa isa, int64_t dim);

  void take(const uint8_t* group);

  // scores [kFp4Group]: what wide ones get means nothing.
  void score(const Fp4Queries& queries, float* scores) const;

  // A bit for each key whose scales lie too far apart.
  uint32_t wide() const { return scales_.wide; }

 private:
  int64_t dim_;
  bool avx512_;  // fp4_columns.h
  Fp4Scales scales_;
  std::vector<uint8_t> columns_;  // [dim / 8][2][kFp4Group][4]: of eight channels each the four
                                  // even ones of every key, then the four odd ones, shifted up
};

}  // namespace dsv4::kernels
#endif
