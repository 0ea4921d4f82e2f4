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

  // How many rows are interleaved in a page: kFp4Group of kFp4 when dim is a multiple of 32, else
  // one. Of a group of rows there come the first four bytes of codes of each, then the next four of
  // each and so on, at last the first scale of each, then the second: side by side in a register's
  // lanes they can all be scored at once.
  int64_t group() const;
};

inline constexpr int64_t kFp4Group = 32;

// Rounds x [dim] to the format and stores it. Blocks with NaN or Inf become NaN throughout.
void pack_row(const RowLayout& layout, const float* x, uint8_t* row);

// Row i of a page that holds whole groups of rows: puts there, or takes out, what pack_row made.
void store_row(const RowLayout& layout, const uint8_t* row, uint8_t* page, int64_t i);
void load_row(const RowLayout& layout, const uint8_t* page, int64_t i, uint8_t* row);

// x [dim]: exactly the numbers that the row stands for.
void unpack_row_reference(const RowLayout& layout, const uint8_t* row, float* x);
void unpack_row(Isa isa, const RowLayout& layout, const uint8_t* row, float* x);
// The same for n rows; x [n, dim].
void unpack_rows(Isa isa, const RowLayout& layout, const uint8_t* const* rows, int64_t n, float* x);

// Rows in pages of equal size, which hold whole groups of rows. Owns nothing.
struct PagedRows {
  RowLayout layout;
  const uint8_t* const* pages = nullptr;
  int64_t rows_per_page = 1;

  // row [layout.bytes()]: row i as pack_row made it.
  void load(int64_t i, uint8_t* row) const {
    load_row(layout, pages[i / rows_per_page], i % rows_per_page, row);
  }

  // The group that begins with row i.
  const uint8_t* group(int64_t i) const {
    return pages[i / rows_per_page] + i % rows_per_page * layout.bytes();
  }

  // Where rows lie: of layouts that do not interleave them.
  const uint8_t* row(int64_t i) const { return group(i); }
  // out: row(first) to row(first + n - 1).
  void rows(int64_t first, int64_t n, const uint8_t** out) const;
  // out: row(at[0]) to row(at[n - 1]).
  void rows_at(const int32_t* at, int64_t n, const uint8_t** out) const;
};

}  // namespace dsv4::kernels
