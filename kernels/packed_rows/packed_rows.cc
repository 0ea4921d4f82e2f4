#include "kernels/packed_rows/packed_rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/matmul/scale_table.h"
#include "kernels/rounding/rounding.h"
#include "kernels/simd/avx2.h"
#include "kernels/simd/avx512.h"

namespace dsv4::kernels {
namespace {

constexpr int64_t kFp8Block = 64;
constexpr int64_t kFp4Block = 32;

int64_t blocks(int64_t n, int64_t block) { return (n + block - 1) / block; }

float largest_magnitude(const float* x, int64_t n) {
  float largest = 0.0F;
  for (int64_t i = 0; i < n; ++i) {
    const float magnitude = std::fabs(x[i]);
    if (!(magnitude <= largest)) largest = magnitude;  // a NaN stays
    if (std::isnan(largest)) break;
  }
  return largest;
}

// The e8m0 byte of a power of two; 255 for NaN.
uint8_t encode_scale(float scale) {
  if (std::isnan(scale)) return 255;
  return static_cast<uint8_t>(std::bit_cast<uint32_t>(scale) >> 23);
}

void pack_fp8(const float* x, int64_t n, uint8_t* codes, uint8_t* scales) {
  for (int64_t at = 0; at < n; at += kFp8Block) {
    const int64_t length = std::min(kFp8Block, n - at);
    const float scale = fp8_block_scale(largest_magnitude(x + at, length));
    for (int64_t i = at; i < at + length; ++i) codes[i] = encode_e4m3(x[i] / scale);
    scales[at / kFp8Block] = encode_scale(scale);
  }
}

void pack_fp4(const float* x, int64_t n, uint8_t* codes, uint8_t* scales) {
  std::fill_n(codes, (n + 1) / 2, uint8_t{0});
  for (int64_t at = 0; at < n; at += kFp4Block) {
    const int64_t length = std::min(kFp4Block, n - at);
    const float scale = fp4_block_scale(largest_magnitude(x + at, length));
    for (int64_t i = at; i < at + length; ++i) {
      const int code = encode_e2m1(x[i] / scale);
      codes[i / 2] = static_cast<uint8_t>(codes[i / 2] | code << (i % 2 * 4));
    }
    scales[at / kFp4Block] = encode_scale(scale);
  }
}

constexpr int64_t kRowsAhead = 8;

// Rows that lie far apart are asked for before they are needed. Those that follow the one before
// are not: the processor itself looks ahead there, and asking takes as long as unpacking.
void ask_for(const uint8_t* const* rows, int64_t i, int64_t bytes) {
  constexpr int64_t kLine = 64;
  if (i > 0 && rows[i] == rows[i - 1] + bytes) return;
  for (int64_t at = 0; at < bytes; at += kLine) __builtin_prefetch(rows[i] + at, 0, 3);
}

// The largest scale byte of which 2^120 times the scale is a float.
constexpr uint8_t kMostScale = 127 + 7;

#if defined(__x86_64__)

// Codes 8 k to 8 k + 7 of sixteen, as value * 2^-120: a code's bits in a float's places, subnormals
// included. `bytes` holds the sixteen twice.
template <int k>
DSV4_AVX2 __m256 e4m3_avx2(__m256i bytes) {
  constexpr int z = -1;  // a zero byte
  constexpr int c = 8 * k;
  const __m256i to_top =
      _mm256_setr_epi8(z, z, z, c, z, z, z, c + 1, z, z, z, c + 2, z, z, z, c + 3,  //
                       z, z, z, c + 4, z, z, z, c + 5, z, z, z, c + 6, z, z, z, c + 7);
  const __m256i wide = _mm256_srai_epi32(_mm256_shuffle_epi8(bytes, to_top), 4);
  return _mm256_castsi256_ps(
      _mm256_and_si256(wide, _mm256_set1_epi32(static_cast<int32_t>(0x87f00000))));
}

// dim - rope is a multiple of 16, rope of 8.
DSV4_AVX2 void unpack_fp8_avx2(const RowLayout& layout, const uint8_t* row, float* x) {
  const int64_t n = layout.dim - layout.rope;
  const uint8_t* scales = row + n;
  for (int64_t at = 0; at < n; at += kFp8Block) {
    const __m256 factor = _mm256_set1_ps(kE8m0Values[scales[at / kFp8Block]] * 0x1p120F);
    const int64_t end = std::min(at + kFp8Block, n);
    for (int64_t i = at; i < end; i += 16) {
      const __m256i bytes =
          _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(row + i)));
      _mm256_storeu_ps(x + i, _mm256_mul_ps(e4m3_avx2<0>(bytes), factor));
      _mm256_storeu_ps(x + i + 8, _mm256_mul_ps(e4m3_avx2<1>(bytes), factor));
    }
  }
  const uint8_t* tail = scales + blocks(n, kFp8Block);
  if (layout.format == RowFormat::kFp8F32) {
    std::memcpy(x + n, tail, static_cast<size_t>(4 * layout.rope));
    return;
  }
  for (int64_t i = 0; i < layout.rope; i += 8) {
    const __m128i upper = _mm_loadu_si128(reinterpret_cast<const __m128i*>(tail + 2 * i));
    const __m256i bits = _mm256_slli_epi32(_mm256_cvtepu16_epi32(upper), 16);
    _mm256_storeu_ps(x + n + i, _mm256_castsi256_ps(bits));
  }
}

// Whether 2^120 times each scale of an FP8 row is a float, or NaN.
bool small_scales(const RowLayout& layout, const uint8_t* row) {
  const int64_t codes = layout.dim - layout.rope;
  const uint8_t* end = row + codes + blocks(codes, kFp8Block);
  return std::all_of(row + codes, end, [](uint8_t s) { return s <= kMostScale || s == 255; });
}

// dim is a multiple of 32.
DSV4_AVX2 void unpack_fp4_avx2(const RowLayout& layout, const uint8_t* row, float* x) {
  const uint8_t* scales = row + layout.dim / 2;
  // Twice the sixteen values.
  const __m128i doubled = _mm_setr_epi8(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);
  const __m128i low = _mm_set1_epi8(15);
  for (int64_t at = 0; at < layout.dim; at += kFp4Block) {
    const __m256 scale = _mm256_set1_ps(0.5F * kE8m0Values[scales[at / kFp4Block]]);
    const __m128i codes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + at / 2));
    const __m128i even = _mm_shuffle_epi8(doubled, _mm_and_si128(codes, low));
    const __m128i odd = _mm_shuffle_epi8(doubled, _mm_and_si128(_mm_srli_epi16(codes, 4), low));
    const __m128i halves[2] = {_mm_unpacklo_epi8(even, odd), _mm_unpackhi_epi8(even, odd)};
    for (int64_t i = 0; i < 4; ++i) {
      const __m128i half = halves[i / 2];
      const __m128i eight = i % 2 == 0 ? half : _mm_srli_si128(half, 8);
      const __m256 value = _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(eight));
      _mm256_storeu_ps(x + at + 8 * i, _mm256_mul_ps(value, scale));
    }
  }
}

// Where the parts of an FP8 row are whose dim - rope is a multiple of 64 and rope of 16.
struct Fp8Parts {
  explicit Fp8Parts(const RowLayout& layout)
      : codes(layout.dim - layout.rope),
        tail(codes + codes / kFp8Block),
        rope(layout.rope),
        floats(layout.format == RowFormat::kFp8F32) {}

  int64_t codes;
  int64_t tail;
  int64_t rope;
  bool floats;  // the rotated channels
};

// Codes become half floats of value / 256, see kernels/matmul/avx512.h. Returns false when a scale
// is too large for that: then what is in x means nothing.
DSV4_AVX512 inline bool unpack_fp8_avx512(const Fp8Parts& parts, const uint8_t* row, float* x) {
  const __m512i keep = _mm512_set1_epi16(static_cast<int16_t>(0xbf80));
  bool small = true;
  for (int64_t at = 0; at < parts.codes; at += kFp8Block) {
    const uint8_t scale = row[parts.codes + at / kFp8Block];
    small &= scale <= kMostScale || scale == 255;
    const __m512 factor = _mm512_set1_ps(kE8m0Values[scale] * 256.0F);
    for (int64_t i = at; i < at + kFp8Block; i += 32) {
      const __m256i codes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(row + i));
      const __m512i halves =
          _mm512_and_si512(_mm512_slli_epi16(_mm512_cvtepi8_epi16(codes), 7), keep);
      const __m512 first = _mm512_cvtph_ps(_mm512_castsi512_si256(halves));
      const __m512 second = _mm512_cvtph_ps(_mm512_extracti64x4_epi64(halves, 1));
      _mm512_storeu_ps(x + i, _mm512_mul_ps(first, factor));
      _mm512_storeu_ps(x + i + 16, _mm512_mul_ps(second, factor));
    }
  }
  const uint8_t* tail = row + parts.tail;
  float* to = x + parts.codes;
  for (int64_t i = 0; i < parts.rope && parts.floats; i += 16) {
    _mm512_storeu_ps(to + i, _mm512_loadu_ps(tail + 4 * i));
  }
  for (int64_t i = 0; i < parts.rope && !parts.floats; i += 16) {
    const __m256i upper = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(tail + 2 * i));
    const __m512i bits = _mm512_slli_epi32(_mm512_cvtepu16_epi32(upper), 16);
    _mm512_storeu_ps(to + i, _mm512_castsi512_ps(bits));
  }
  return small;
}

bool is_fp8(const RowLayout& layout) {
  return layout.format == RowFormat::kFp8F32 || layout.format == RowFormat::kFp8Bf16;
}

bool fits_avx512(Isa isa, const RowLayout& layout) {
  return isa >= Isa::kAvx512 && (layout.dim - layout.rope) % kFp8Block == 0 &&
         layout.rope % 16 == 0;
}

DSV4_AVX512 void unpack_fp8_rows_avx512(const RowLayout& layout, const uint8_t* const* rows,
                                        int64_t n, float* x) {
  const Fp8Parts parts(layout);
  const int64_t bytes = layout.bytes();
  for (int64_t i = 0; i < n; ++i, x += layout.dim) {
    if (i + kRowsAhead < n) ask_for(rows, i + kRowsAhead, bytes);
    if (!unpack_fp8_avx512(parts, rows[i], x)) unpack_row_reference(layout, rows[i], x);
  }
}

#endif

// Calls visit(place in the row, place in the page, bytes) for all parts of row i of a page.
template <typename Visit>
void each_piece(const RowLayout& layout, int64_t i, const Visit& visit) {
  constexpr int64_t kWord = 4;
  const int64_t bytes = layout.bytes();
  const int64_t group = layout.group();
  if (group == 1) return visit(0, i * bytes, static_cast<size_t>(bytes));
  const int64_t codes = layout.dim / 2;
  const int64_t begin = i / group * group * bytes;
  const int64_t lane = i % group;
  for (int64_t at = 0; at < codes; at += kWord) {
    visit(at, begin + at * group + lane * kWord, size_t{kWord});
  }
  for (int64_t at = codes; at < bytes; ++at) visit(at, begin + at * group + lane, size_t{1});
}

}  // namespace

int64_t RowLayout::bytes() const {
  const int64_t codes = dim - rope;
  switch (format) {
    case RowFormat::kF32:
      return 4 * dim;
    case RowFormat::kFp8F32:
      return codes + blocks(codes, kFp8Block) + 4 * rope;
    case RowFormat::kFp8Bf16:
      return codes + blocks(codes, kFp8Block) + 2 * rope;
    case RowFormat::kFp4:
      return (dim + 1) / 2 + blocks(dim, kFp4Block);
  }
  return 0;
}

int64_t RowLayout::group() const {
  return format == RowFormat::kFp4 && dim % kFp4Block == 0 ? kFp4Group : 1;
}

void store_row(const RowLayout& layout, const uint8_t* row, uint8_t* page, int64_t i) {
  each_piece(layout, i, [&](int64_t in_row, int64_t in_page, size_t bytes) {
    std::memcpy(page + in_page, row + in_row, bytes);
  });
}

void load_row(const RowLayout& layout, const uint8_t* page, int64_t i, uint8_t* row) {
  each_piece(layout, i, [&](int64_t in_row, int64_t in_page, size_t bytes) {
    std::memcpy(row + in_row, page + in_page, bytes);
  });
}

void PagedRows::rows(int64_t first, int64_t n, const uint8_t** out) const {
  const int64_t bytes = layout.bytes();
  int64_t page = first / rows_per_page;
  int64_t at = first % rows_per_page;
  for (int64_t i = 0; i < n; ++page, at = 0) {
    const uint8_t* row = pages[page] + at * bytes;
    for (; i < n && at < rows_per_page; ++i, ++at, row += bytes) out[i] = row;
  }
}

void PagedRows::rows_at(const int32_t* at, int64_t n, const uint8_t** out) const {
  const int64_t bytes = layout.bytes();
  const auto in_page = static_cast<uint32_t>(rows_per_page);
  for (int64_t i = 0; i < n; ++i) {
    const auto row = static_cast<uint32_t>(at[i]);
    out[i] = pages[row / in_page] + row % in_page * bytes;
  }
}

void pack_row(const RowLayout& layout, const float* x, uint8_t* row) {
  const int64_t codes = layout.dim - layout.rope;
  switch (layout.format) {
    case RowFormat::kF32:
      std::memcpy(row, x, static_cast<size_t>(4 * layout.dim));
      return;
    case RowFormat::kFp8F32:
      pack_fp8(x, codes, row, row + codes);
      std::memcpy(row + codes + blocks(codes, kFp8Block), x + codes,
                  static_cast<size_t>(4 * layout.rope));
      return;
    case RowFormat::kFp8Bf16: {
      pack_fp8(x, codes, row, row + codes);
      uint8_t* tail = row + codes + blocks(codes, kFp8Block);
      for (int64_t i = 0; i < layout.rope; ++i) {
        const uint16_t bits = encode_bf16(x[codes + i]);
        std::memcpy(tail + 2 * i, &bits, 2);
      }
      return;
    }
    case RowFormat::kFp4:
      pack_fp4(x, layout.dim, row, row + (layout.dim + 1) / 2);
      return;
  }
}

void unpack_row_reference(const RowLayout& layout, const uint8_t* row, float* x) {
  const int64_t codes = layout.dim - layout.rope;
  switch (layout.format) {
    case RowFormat::kF32:
      std::memcpy(x, row, static_cast<size_t>(4 * layout.dim));
      return;
    case RowFormat::kFp8F32:
    case RowFormat::kFp8Bf16: {
      const uint8_t* scales = row + codes;
      const uint8_t* tail = scales + blocks(codes, kFp8Block);
      for (int64_t i = 0; i < codes; ++i) {
        x[i] = decode_e4m3(row[i]) * decode_e8m0(scales[i / kFp8Block]);
      }
      if (layout.format == RowFormat::kFp8F32) {
        std::memcpy(x + codes, tail, static_cast<size_t>(4 * layout.rope));
        return;
      }
      for (int64_t i = 0; i < layout.rope; ++i) {
        uint16_t bits = 0;
        std::memcpy(&bits, tail + 2 * i, 2);
        x[codes + i] = decode_bf16(bits);
      }
      return;
    }
    case RowFormat::kFp4: {
      const uint8_t* scales = row + (layout.dim + 1) / 2;
      for (int64_t i = 0; i < layout.dim; ++i) {
        const auto code = static_cast<uint8_t>(row[i / 2] >> (i % 2 * 4) & 15);
        x[i] = decode_e2m1(code) * decode_e8m0(scales[i / kFp4Block]);
      }
      return;
    }
  }
}

void unpack_row(Isa isa, const RowLayout& layout, const uint8_t* row, float* x) {
#if defined(__x86_64__)
  if (isa >= Isa::kAvx2) {
    if (is_fp8(layout) && fits_avx512(isa, layout)) {
      if (unpack_fp8_avx512(Fp8Parts(layout), row, x)) return;
      return unpack_row_reference(layout, row, x);
    }
    const bool fits = (layout.dim - layout.rope) % 16 == 0 && layout.rope % 8 == 0;
    if (is_fp8(layout) && fits && small_scales(layout, row)) {
      return unpack_fp8_avx2(layout, row, x);
    }
    if (layout.format == RowFormat::kFp4 && layout.dim % kFp4Block == 0) {
      return unpack_fp4_avx2(layout, row, x);
    }
  }
#endif
  unpack_row_reference(layout, row, x);
}

void unpack_rows(Isa isa, const RowLayout& layout, const uint8_t* const* rows, int64_t n,
                 float* x) {
  const int64_t bytes = layout.bytes();
  for (int64_t i = 0; i < std::min(kRowsAhead, n); ++i) ask_for(rows, i, bytes);
#if defined(__x86_64__)
  if (is_fp8(layout) && fits_avx512(isa, layout)) {
    return unpack_fp8_rows_avx512(layout, rows, n, x);
  }
#endif
  for (int64_t i = 0; i < n; ++i, x += layout.dim) {
    if (i + kRowsAhead < n) ask_for(rows, i + kRowsAhead, bytes);
    unpack_row(isa, layout, rows[i], x);
  }
}

}  // namespace dsv4::kernels
