#pragma once

#include <cstdint>

#include "kernels/packed_rows/packed_rows.h"

namespace dsv4::kernels::cuda {

// The tokens of a launch: rows of a chunk in which one sequence or several have a stretch of
// consecutive positions each. All arrays are in memory of the device, so that a graph made of the
// launches serves every position and every session; what the host says is how many rows there are.
struct Chunk {
  int64_t tokens = 0;                 // rows, padding included
  const int64_t* position = nullptr;  // [tokens]; negative: padding, of which nothing is written
  const int32_t* sequence = nullptr;  // [tokens], ascending; of padding any that is in range
  const int32_t* begin = nullptr;     // [sequences + 1]: s has the rows begin[s] to begin[s + 1]
};

// Packed rows of each sequence, in pages on the device that are byte for byte those of the
// processor (PagedRows). Pages begin at multiples of 16 and hold a multiple of 16 rows.
struct SequencePages {
  RowLayout layout;
  uint8_t* const* const* pages = nullptr;  // [sequences]: where its page pointers are
  int64_t rows_per_page = 1;
};

}  // namespace dsv4::kernels::cuda
