#pragma once

#include "kernels/cuda/device.h"
#include "kernels/packed_rows/packed_rows.h"

namespace dsv4::kernels::cuda {

// Rows between floats and packed bytes, all on the device; the bytes are those of the processor.
struct PackRowsParams {
  RowLayout layout;
  int64_t rows = 0;
  // Row r of `packed` is the dense row r as pack_row makes it, or, with `pages`, row at[r] of those
  // (PagedRows), interleaved as its layout says.
  uint8_t* packed = nullptr;        // [rows, layout.bytes()], at a multiple of 16
  uint8_t* const* pages = nullptr;  // in memory of the device, as at
  int64_t rows_per_page = 1;
  const int64_t* at = nullptr;  // [rows]; null with pages: row r
};

// x [rows, dim].
void pack_rows(Stream& stream, const float* x, const PackRowsParams& to);
void unpack_rows(Stream& stream, const PackRowsParams& from, float* x);

}  // namespace dsv4::kernels::cuda
