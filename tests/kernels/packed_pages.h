#pragma once

#include <vector>

#include "kernels/packed_rows/packed_rows.h"

namespace dsv4::kernels {

// Rows of floats, packed into pages of a few rows each: of whole groups.
class PackedPages {
 public:
  PackedPages(const RowLayout& layout, const std::vector<float>& x, int64_t rows_per_page = 7)
      : layout_(layout),
        rows_per_page_((rows_per_page + layout.group() - 1) / layout.group() * layout.group()) {
    const auto rows = static_cast<int64_t>(x.size()) / layout.dim;
    const auto page_bytes = static_cast<size_t>(rows_per_page_ * layout.bytes());
    std::vector<uint8_t> row(static_cast<size_t>(layout.bytes()));
    for (int64_t i = 0; i < rows; ++i) {
      if (i % rows_per_page_ == 0) pages_.emplace_back(page_bytes, uint8_t{0xa5});
      pack_row(layout, x.data() + i * layout.dim, row.data());
      store_row(layout, row.data(), pages_.back().data(), i % rows_per_page_);
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
