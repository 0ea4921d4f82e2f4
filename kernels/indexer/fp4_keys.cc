#include "kernels/indexer/fp4_keys.h"

#if defined(__x86_64__)
#include <algorithm>
#include <cstring>

#include "kernels/indexer/fp4_columns.h"
#include "kernels/indexer/fp4_rows.h"
#include "kernels/indexer/fp4_scales.h"
#include "kernels/matmul/scale_table.h"
#include "kernels/simd/avx2.h"

namespace dsv4::kernels {
namespace {

constexpr int64_t kBlock = 32;
constexpr int kSpread = 2;  // scales of a row may differ by this power of two
constexpr int8_t kShift = 48;

// Twice the e2m1 values, times 2^0, 2^1 and 2^2.
struct Doubled {
  int8_t values[kSpread + 1][16];
};
constexpr Doubled make_doubled() {
  constexpr int8_t kMagnitudes[8] = {0, 1, 2, 3, 4, 6, 8, 12};
  Doubled table{};
  for (int up = 0; up <= kSpread; ++up) {
    for (int code = 0; code < 16; ++code) {
      const int value = kMagnitudes[code & 7] << up;
      table.values[up][code] = static_cast<int8_t>(code < 8 ? value : -value);
    }
  }
  return table;
}
constexpr Doubled kDoubled = make_doubled();

bool only_zeros(const uint8_t* codes) {
  return std::all_of(codes, codes + kBlock / 2, [](uint8_t pair) { return (pair & 0x77) == 0; });
}

// 32 e2m1 codes times 2^up as bytes: the even channels, then the odd ones.
DSV4_AVX2 __m256i decode_block(const uint8_t* codes, int up) {
  const __m256i table = _mm256_broadcastsi128_si256(
      _mm_loadu_si128(reinterpret_cast<const __m128i*>(kDoubled.values[up])));
  const __m256i both =
      _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes)));
  const __m256i nibbles = _mm256_and_si256(_mm256_srlv_epi64(both, _mm256_setr_epi64x(0, 0, 4, 4)),
                                           _mm256_set1_epi8(15));
  return _mm256_shuffle_epi8(table, nibbles);
}

int up_of(int scale, int low) { return std::clamp(scale - low, 0, kSpread); }

// Sums of the eight lanes of each of eight registers.
DSV4_AVX2 __m256i sums_of_eight(const __m256i* v) {
  const __m256i a = _mm256_hadd_epi32(_mm256_hadd_epi32(v[0], v[1]), _mm256_hadd_epi32(v[2], v[3]));
  const __m256i b = _mm256_hadd_epi32(_mm256_hadd_epi32(v[4], v[5]), _mm256_hadd_epi32(v[6], v[7]));
  return _mm256_add_epi32(_mm256_permute2x128_si256(a, b, 0x20),
                          _mm256_permute2x128_si256(a, b, 0x31));
}

DSV4_AVX2 inline __m256i products(const uint8_t* key, const int8_t* query) {
  return _mm256_maddubs_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(key)),
                              _mm256_loadu_si256(reinterpret_cast<const __m256i*>(query)));
}

// Products of unsigned keys and signed queries, in eight lanes. Two blocks fit 16 bits: 4 * 96
// * 48.
DSV4_AVX2 inline __m256i dot(const uint8_t* key, const int8_t* query, int64_t dim) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sum = _mm256_setzero_si256();
  int64_t at = 0;
  for (; at + 2 * kBlock <= dim; at += 2 * kBlock) {
    const __m256i pair = _mm256_add_epi16(products(key + at, query + at),
                                          products(key + at + kBlock, query + at + kBlock));
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pair, ones));
  }
  if (at < dim) {
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(products(key + at, query + at), ones));
  }
  return sum;
}

DSV4_AVX2 void score_eight(const Fp4Queries& queries, const uint8_t* keys, const float* scale,
                           int64_t dim, float* scores) {
  const auto heads = static_cast<int64_t>(queries.factor.size());
  __m256 total = _mm256_setzero_ps();
  for (int64_t h = 0; h < heads; ++h) {
    const int8_t* query = queries.bytes.data() + h * dim;
    const auto i = static_cast<size_t>(h);
    __m256i lanes[8];
    for (int64_t r = 0; r < 8; ++r) lanes[r] = dot(keys + r * dim, query, dim);
    const __m256i exact =
        _mm256_sub_epi32(sums_of_eight(lanes), _mm256_set1_epi32(queries.offset[i]));
    const __m256 positive = _mm256_cvtepi32_ps(_mm256_max_epi32(exact, _mm256_setzero_si256()));
    total = _mm256_fmadd_ps(positive, _mm256_set1_ps(queries.factor[i]), total);
  }
  _mm256_storeu_ps(scores, _mm256_mul_ps(total, _mm256_loadu_ps(scale)));
}

DSV4_AVX2 void unpack_key(const uint8_t* row, int64_t dim, int low, uint8_t* bytes) {
  const uint8_t* scales = row + dim / 2;
  const __m256i shift = _mm256_set1_epi8(kShift);
  for (int64_t at = 0; at < dim; at += kBlock) {
    const __m256i block = decode_block(row + at / 2, up_of(scales[at / kBlock], low));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(bytes + at), _mm256_add_epi8(block, shift));
  }
}

// Returns the sum of the bytes.
DSV4_AVX2 int32_t unpack_query(const uint8_t* row, int64_t dim, int low, int8_t* bytes) {
  const uint8_t* scales = row + dim / 2;
  for (int64_t at = 0; at < dim; at += kBlock) {
    const __m256i block = decode_block(row + at / 2, up_of(scales[at / kBlock], low));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(bytes + at), block);
  }
  int32_t sum = 0;
  for (int64_t i = 0; i < dim; ++i) sum += bytes[i];
  return sum;
}

}  // namespace

// A block of zeros, which has the smallest scale there is, goes with any.
int common_scale(const uint8_t* row, int64_t dim) {
  const uint8_t* scales = row + dim / 2;
  int low = 255;
  int high = 1;
  for (int64_t b = 0; b < dim / kBlock; ++b) {
    const int scale = scales[b];
    if (scale <= 1 && only_zeros(row + kBlock / 2 * b)) continue;
    low = std::min(low, scale);
    high = std::max(high, scale);
  }
  if (high == 255) return -1;
  if (low == 255) return 1;
  return high - low > kSpread ? -1 : low;
}

bool has_byte_scores(const RowLayout& layout) {
  return layout.format == RowFormat::kFp4 && layout.dim % kBlock == 0;
}

Fp4Queries byte_queries(const IndexerParams& p, int64_t t) {
  const RowLayout layout{RowFormat::kFp4, p.dim, 0};
  std::vector<uint8_t> row(static_cast<size_t>(layout.bytes()));
  Fp4Queries queries;
  queries.bytes.resize(static_cast<size_t>(p.heads * p.dim));
  for (int64_t h = 0; h < p.heads; ++h) {
    pack_row(layout, p.q + (t * p.heads + h) * p.dim, row.data());
    const int low = common_scale(row.data(), p.dim);
    if (low < 0) return queries;
    const int32_t sum = unpack_query(row.data(), p.dim, low, queries.bytes.data() + h * p.dim);
    queries.offset.push_back(kShift * sum);
    queries.factor.push_back(p.weights[t * p.heads + h] * 0.5F *
                             kE8m0Values[static_cast<size_t>(low)]);
  }
  queries.usable = true;
  return queries;
}

Fp4Keys::Form Fp4Keys::form_of(Isa isa, int64_t dim, int64_t heads) {
  if (isa < Isa::kAvx512Bf16 || dim != kWideDim) return Form::kBytes;
  return heads <= kMostRowsHeads ? Form::kInPlace : Form::kColumns;
}

Fp4Keys::Fp4Keys(Isa isa, int64_t dim, int64_t heads)
    : dim_(dim),
      form_(form_of(isa, dim, heads)),
      bytes_(form_ == Form::kInPlace ? 0 : static_cast<size_t>(kRows * dim), kShift) {}

// Rows of a page lie one after the other: only what two pages share, or less than kRows, is copied.
void Fp4Keys::gather(const PagedRows& keys, int64_t first, int64_t n) {
  rows_ = keys.row(first);
  if (n == kRows && first % keys.rows_per_page + n <= keys.rows_per_page) return;
  const uint8_t* rows[kRows];
  keys.rows(first, n, rows);
  const int64_t bytes = keys.layout.bytes();
  gathered_.resize(static_cast<size_t>(kRows * bytes));
  for (int64_t i = 0; i < kRows; ++i) {
    std::memcpy(gathered_.data() + i * bytes, rows[std::min(i, n - 1)], static_cast<size_t>(bytes));
  }
  rows_ = gathered_.data();
}

void Fp4Keys::take(const PagedRows& keys, int64_t first, int64_t n) {
  count_ = n;
  any_wide_ = false;
  gather(keys, first, n);
  if (form_ == Form::kColumns) any_wide_ = unpack_columns(rows_, bytes_.data(), scale_);
  if (form_ != Form::kBytes) return;
  const int64_t bytes = keys.layout.bytes();
  for (int64_t i = 0; i < n; ++i) {
    const uint8_t* row = rows_ + i * bytes;
    const int low = common_scale(row, dim_);
    scale_[i] = low < 0 ? 0.0F : 0.5F * kE8m0Values[static_cast<size_t>(low)];
    any_wide_ |= low < 0;
    if (low >= 0) unpack_key(row, dim_, low, bytes_.data() + i * dim_);
  }
}

void Fp4Keys::score(const Fp4Queries& queries, float* scores) {
  if (form_ == Form::kInPlace) {
    any_wide_ = score_rows(queries, rows_, scale_, scores);
    return;
  }
  if (form_ == Form::kColumns) return score_columns(queries, bytes_.data(), scale_, scores);
  for (int64_t i = 0; i < count_; i += 8) {
    score_eight(queries, bytes_.data() + i * dim_, scale_ + i, dim_, scores + i);
  }
}

}  // namespace dsv4::kernels
#endif
