#pragma once

#include <vector>

#include "kernels/packed_rows/packed_rows.h"

namespace dsv4::kernels {

// Rows of floats, packed into pages of a few rows each.
class PackedPages {
 public:
  PackedPages(const RowLayout& layout, const std::vector<float>& x, int64_t rows_per_page = 7)
      : layout_(layout), rows_per_page_(rows_per_page) {
    const auto rows = static_cast<int64_t>(x.size()) / layout.dim;
    const auto page_bytes = static_cast<size_t>(rows_per_page * layout.bytes());
    for (int64_t i = 0; i < rows; ++i) {
      if (i % rows_per_page == 0) pages_.emplace_back(page_bytes);
      uint8_t* row = pages_.back().data() + i % rows_per_page * layout.bytes();
      pack_row(layout, x.data() + i * layout.dim, row);
    }
    for (const auto& page : pages_) pointers_.push_back(page.data());
  }

  PagedRows view() const { return {layout_, pointers_.data(), rows_per_page_}; }

 private:
  RowLayout layout_;
  int64_t rows_per_page_;
  std::vector<std::vector<uint8_t>> pages_;
  std::vector<const uint8_t*> pointers_;
};

}  // namespace dsv4::kernels
