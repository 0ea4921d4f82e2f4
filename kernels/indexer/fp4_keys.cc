#include "kernels/indexer/fp4_keys.h"

#if defined(__x86_64__)
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "kernels/indexer/fp4_columns.h"
#include "kernels/indexer/fp4_scales.h"
#include "kernels/matmul/scale_table.h"
#include "kernels/simd/avx2.h"

namespace dsv4::kernels {
namespace {

constexpr int kUp = 12;                   // what makes doubled e2m1 values unsigned
constexpr int64_t kWords = 4;             // of eight channels, in a block
constexpr int64_t kAtOnce = 8;            // keys in a register
constexpr int64_t kHalf = 4 * kFp4Group;  // bytes of the even or the odd channels of a word

// Twice the e2m1 values.
constexpr int8_t kDoubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

bool only_zeros(const uint8_t* codes) {
  return std::all_of(codes, codes + kKeyBlock / 2, [](uint8_t pair) { return (pair & 0x77) == 0; });
}

int up_of(int scale, int low) { return std::clamp(scale - low, 0, kScaleSpread); }

// The smallest scale byte of an FP4 row whose scales are near enough to each other; -1 when they
// are not, or are NaN. A block of zeros, which has the smallest scale there is, goes with any.
int common_scale(const uint8_t* row, int64_t dim) {
  const uint8_t* scales = row + dim / 2;
  int low = 255;
  int high = 1;
  for (int64_t b = 0; b < dim / kKeyBlock; ++b) {
    const int scale = scales[b];
    if (scale <= 1 && only_zeros(row + kKeyBlock / 2 * b)) continue;
    low = std::min(low, scale);
    high = std::max(high, scale);
  }
  if (high == 255) return -1;
  if (low == 255) return 1;
  return high - low > kScaleSpread ? -1 : low;
}

// A row as bytes, and the sums of those of each block.
void unpack_row_bytes(const uint8_t* row, int64_t dim, int low, int8_t* bytes, int32_t* sums) {
  for (int64_t b = 0; b < dim / kKeyBlock; ++b, bytes += kKeyBlock) {
    const int up = up_of(row[dim / 2 + b], low);
    sums[b] = 0;
    for (int64_t i = 0; i < kKeyBlock / 2; ++i) {
      const uint8_t pair = row[b * kKeyBlock / 2 + i];
      bytes[i] = static_cast<int8_t>(kDoubled[pair & 15] * (1 << up));
      bytes[kKeyBlock / 2 + i] = static_cast<int8_t>(kDoubled[pair >> 4] * (1 << up));
      sums[b] += bytes[i] + bytes[kKeyBlock / 2 + i];
    }
  }
}

DSV4_AVX2 void unpack_avx2(const uint8_t* group, int64_t dim, uint8_t* columns) {
  const __m256i table = _mm256_add_epi8(
      _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(kDoubled))),
      _mm256_set1_epi8(kUp));
  const __m256i nibble = _mm256_set1_epi8(15);
  for (int64_t w = 0; w < dim / 8; ++w, group += kHalf, columns += 2 * kHalf) {
    for (int64_t at = 0; at < kHalf; at += 32) {
      const __m256i codes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(group + at));
      const __m256i even = _mm256_and_si256(codes, nibble);
      const __m256i odd = _mm256_and_si256(_mm256_srli_epi16(codes, 4), nibble);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(columns + at),
                          _mm256_shuffle_epi8(table, even));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(columns + kHalf + at),
                          _mm256_shuffle_epi8(table, odd));
    }
  }
}

// The dot products of eight keys with one head's query by one block. Sums of products stay in 16
// bits: 16 * 24 * 48.
DSV4_AVX2 inline __m256i block_dot(const uint8_t* columns, const int8_t* query, int32_t sum) {
  __m256i pairs = _mm256_setzero_si256();
  for (int64_t w = 0; w < kWords; ++w) {
    for (int64_t odd = 0; odd < 2; ++odd) {
      int32_t four = 0;
      std::memcpy(&four, query + odd * kKeyBlock / 2 + 4 * w, 4);
      const auto* keys = reinterpret_cast<const __m256i*>(columns + (2 * w + odd) * kHalf);
      pairs = _mm256_add_epi16(
          pairs, _mm256_maddubs_epi16(_mm256_loadu_si256(keys), _mm256_set1_epi32(four)));
    }
  }
  return _mm256_sub_epi32(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1)),
                          _mm256_set1_epi32(kUp * sum));
}

DSV4_AVX2 void score_avx2(const Fp4Queries& queries, const uint8_t* columns,
                          const Fp4Scales& scales, int64_t dim, float* scores) {
  const auto heads = static_cast<int64_t>(queries.factor.size());
  const int64_t blocks = dim / kKeyBlock;
  for (int64_t i = 0; i < kFp4Group; i += kAtOnce) {
    __m256 total = _mm256_setzero_ps();
    for (int64_t h = 0; h < heads; ++h) {
      __m256i sum = _mm256_setzero_si256();
      for (int64_t b = 0; b < blocks; ++b) {
        const __m256i dot = block_dot(columns + 2 * kWords * kHalf * b + 4 * i,
                                      queries.bytes.data() + h * dim + b * kKeyBlock,
                                      queries.sums[static_cast<size_t>(h * blocks + b)]);
        const auto* up = reinterpret_cast<const __m128i*>(scales.up.data() + b * kFp4Group + i);
        sum = _mm256_add_epi32(sum,
                               _mm256_sllv_epi32(dot, _mm256_cvtepu8_epi32(_mm_loadl_epi64(up))));
      }
      const __m256 positive = _mm256_cvtepi32_ps(_mm256_max_epi32(sum, _mm256_setzero_si256()));
      total =
          _mm256_fmadd_ps(positive, _mm256_set1_ps(queries.factor[static_cast<size_t>(h)]), total);
    }
    _mm256_storeu_ps(scores + i, _mm256_mul_ps(total, _mm256_loadu_ps(scales.factor + i)));
  }
}

// Not inlined: it needs AVX2.
DSV4_AVX2 void read_scales_of(const uint8_t* group, int64_t dim, Fp4Scales& out) {
  read_scales(group, dim, out);
}

}  // namespace

void read_special_scales(const uint8_t* group, int64_t dim, int64_t key, Fp4Scales& out) {
  const RowLayout layout{RowFormat::kFp4, dim, 0};
  std::vector<uint8_t> row(static_cast<size_t>(layout.bytes()));
  load_row(layout, group, key, row.data());
  const int common = common_scale(row.data(), dim);
  const int low = std::max(common, 0);
  for (int64_t b = 0; b < dim / kKeyBlock; ++b) {
    out.up[static_cast<size_t>(b * kFp4Group + key)] =
        static_cast<uint8_t>(up_of(row[static_cast<size_t>(dim / 2 + b)], low));
  }
  out.factor[key] = common < 0 ? 0.0F : 0.5F * kE8m0Values[static_cast<size_t>(low)];
  if (common < 0) out.wide |= uint32_t{1} << key;
}

bool has_byte_scores(const RowLayout& layout) { return layout.group() == kFp4Group; }

Fp4Queries byte_queries(const IndexerParams& p, int64_t t) {
  const RowLayout layout{RowFormat::kFp4, p.dim, 0};
  const int64_t blocks = p.dim / kKeyBlock;
  std::vector<uint8_t> row(static_cast<size_t>(layout.bytes()));
  Fp4Queries queries;
  queries.bytes.resize(static_cast<size_t>(p.heads * p.dim));
  queries.sums.resize(static_cast<size_t>(p.heads * blocks));
  for (int64_t h = 0; h < p.heads; ++h) {
    pack_row(layout, p.q + (t * p.heads + h) * p.dim, row.data());
    const int low = common_scale(row.data(), p.dim);
    if (low < 0) return queries;
    unpack_row_bytes(row.data(), p.dim, low, queries.bytes.data() + h * p.dim,
                     queries.sums.data() + h * blocks);
    queries.factor.push_back(p.weights[t * p.heads + h] * 0.5F *
                             kE8m0Values[static_cast<size_t>(low)]);
  }
  queries.usable = true;
  return queries;
}

DSV4_AVX2 std::optional<float> score_alone(const Fp4Queries& queries, const uint8_t* group,
                                           int64_t dim, int64_t key) {
  const RowLayout layout{RowFormat::kFp4, dim, 0};
  std::vector<uint8_t> row(static_cast<size_t>(layout.bytes()));
  load_row(layout, group, key, row.data());
  const int low = common_scale(row.data(), dim);
  if (low < 0) return std::nullopt;
  std::vector<int8_t> bytes(static_cast<size_t>(dim));
  std::vector<int32_t> sums(static_cast<size_t>(dim / kKeyBlock));
  unpack_row_bytes(row.data(), dim, low, bytes.data(), sums.data());
  float score = 0.0F;
  for (size_t h = 0; h < queries.factor.size(); ++h) {
    const int8_t* query = queries.bytes.data() + static_cast<int64_t>(h) * dim;
    const int32_t dot = std::inner_product(bytes.begin(), bytes.end(), query, int32_t{0});
    score = std::fma(static_cast<float>(std::max(dot, 0)), queries.factor[h], score);
  }
  return score * (0.5F * kE8m0Values[static_cast<size_t>(low)]);
}

Fp4Keys::Fp4Keys(Isa isa, int64_t dim)
    : dim_(dim),
      avx512_(isa >= Isa::kAvx512Bf16 && dim == kWideDim),
      scales_(dim),
      columns_(static_cast<size_t>(dim * kFp4Group)) {}

void Fp4Keys::take(const uint8_t* group) {
  read_scales_of(group, dim_, scales_);
  if (avx512_) return unpack_columns(group, scales_, columns_.data());
  unpack_avx2(group, dim_, columns_.data());
}

void Fp4Keys::score(const Fp4Queries& queries, float* scores) const {
  if (avx512_) return score_columns(queries, columns_.data(), scales_, scores);
  score_avx2(queries, columns_.data(), scales_, dim_, scores);
}

}  // namespace dsv4::kernels
#endif
