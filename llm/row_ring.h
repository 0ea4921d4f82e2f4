#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "llm/page_list.h"

namespace dsv4::llm {

// Rows of floats for the last positions of a growing sequence: position p has row p mod rows(), all
// zeros before it is written. Copying a ring costs little whatever its size: copies share blocks of
// rows, and one that goes on takes over what it writes to.
class RowRing {
 public:
  // At least so many rows of `width` floats. `memory` counts the blocks of it and its copies.
  RowRing(int64_t rows, int64_t width, std::shared_ptr<PageMemory> memory);

  int64_t rows() const { return static_cast<int64_t>(blocks_.size()) * kBlockRows; }
  int64_t width() const { return width_; }
  // Of its blocks, shared or not.
  int64_t bytes() const { return rows() * width_ * static_cast<int64_t>(sizeof(float)); }

  // Valid until the next own().
  const float* row(int64_t position) const { return at(position % rows()); }
  // out: those of positions [begin, end), at most rows().
  void find(int64_t begin, int64_t end, const float** out) const;

  // Takes over the rows of positions [begin, end), of which the last rows() may then be written;
  // until that they hold what they held. Changes what copies share, unless they are its own
  // already.
  void own(int64_t begin, int64_t end);
  float* own_row(int64_t position) { return at(position % rows()); }

  void clear();

 private:
  static constexpr int64_t kBlockRows = 16;
  struct Block;

  float* at(int64_t row) const {
    return pointers_[static_cast<size_t>(row / kBlockRows)] + row % kBlockRows * width_;
  }
  void own_block(size_t block);
  int64_t block_floats() const { return kBlockRows * width_; }

  int64_t width_;
  std::shared_ptr<PageMemory> memory_;
  std::vector<std::shared_ptr<Block>> blocks_;
  std::vector<float*> pointers_;  // where they begin
};

}  // namespace dsv4::llm
