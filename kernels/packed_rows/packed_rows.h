#pragma once

#include <cstdint>

#include "kernels/parallel/isa.h"

namespace dsv4::kernels {

// Rows of the cache as the model defines them (deepseek-v4.md sections 3 to 5).
enum class RowFormat {
  kF32,      // dim floats: what the precision without rounding keeps
  kFp8F32,   // dim - rope e4m3 codes, one e8m0 scale for every 64 of them, then rope floats
  kFp8Bf16,  // the same with rope bf16 numbers
  kFp4,      // dim e2m1 codes, two a byte, the even channel in the low half; one e8m0 scale per 32
};

struct RowLayout {
  RowFormat format = RowFormat::kF32;
  int64_t dim = 0;
  int64_t rope = 0;  // kFp8F32, kFp8Bf16: channels at the end that carry the position

  int64_t bytes() const;  // of one row; the next one follows without a gap
};

// Rounds x [dim] to the format and stores it. Blocks with NaN or Inf become NaN throughout.
void pack_row(const RowLayout& layout, const float* x, uint8_t* row);

// x [dim]: exactly the numbers that the row stands for.
void unpack_row_reference(const RowLayout& layout, const uint8_t* row, float* x);
void unpack_row(Isa isa, const RowLayout& layout, const uint8_t* row, float* x);
// The same for n rows; x [n, dim].
void unpack_rows(Isa isa, const RowLayout& layout, const uint8_t* const* rows, int64_t n, float* x);

// Rows in pages of equal size. Owns nothing.
struct PagedRows {
  RowLayout layout;
  const uint8_t* const* pages = nullptr;
  int64_t rows_per_page = 1;

  const uint8_t* row(int64_t i) const {
    return pages[i / rows_per_page] + i % rows_per_page * layout.bytes();
  }
  // out: row(first) to row(first + n - 1).
  void rows(int64_t first, int64_t n, const uint8_t** out) const;
  // Asks for rows [first, first + n) before they are needed.
  void prefetch(int64_t first, int64_t n) const;
  // out: row(at[0]) to row(at[n - 1]).
  void rows_at(const int32_t* at, int64_t n, const uint8_t** out) const;
};

}  // namespace dsv4::kernels
