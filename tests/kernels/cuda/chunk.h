#pragma once

#include <memory>
#include <vector>

#include "kernels/cuda/chunk.h"
#include "kernels/rope/rope.h"
#include "tests/kernels/cuda/on_device.h"

// Sequences whose state lies on the device, for tests of kernels that work on a chunk.

struct TestStretch {
  int64_t start = 0;
  int64_t tokens = 0;
  int64_t end() const { return start + tokens; }
};

// The rows of some stretches, one after the other, and some of padding.
class TestChunk {
 public:
  TestChunk(OnDevice& device, std::vector<TestStretch> stretches, int64_t padding = 0)
      : stretches_(std::move(stretches)) {
    for (size_t s = 0; s < stretches_.size(); ++s) {
      begin_.push_back(static_cast<int32_t>(position_.size()));
      for (int64_t i = 0; i < stretches_[s].tokens; ++i) {
        position_.push_back(stretches_[s].start + i);
        sequence_.push_back(static_cast<int32_t>(s));
      }
    }
    begin_.push_back(static_cast<int32_t>(position_.size()));
    for (int64_t i = 0; i < padding; ++i) {
      position_.push_back(-1);
      sequence_.push_back(0);
    }
    view_.tokens = static_cast<int64_t>(position_.size());
    view_.position = device.put(position_);
    view_.sequence = device.put(sequence_);
    view_.begin = device.put(begin_);
  }

  const dsv4::kernels::cuda::Chunk& view() const { return view_; }
  int64_t tokens() const { return view_.tokens; }
  int64_t sequences() const { return std::ssize(stretches_); }
  const TestStretch& stretch(int64_t s) const { return stretches_[static_cast<size_t>(s)]; }
  int64_t begin(int64_t s) const { return begin_[static_cast<size_t>(s)]; }
  const std::vector<int64_t>& positions() const { return position_; }
  bool is_padding(int64_t t) const { return position_[static_cast<size_t>(t)] < 0; }

 private:
  std::vector<TestStretch> stretches_;
  std::vector<int64_t> position_;
  std::vector<int32_t> sequence_, begin_;
  dsv4::kernels::cuda::Chunk view_;
};

// A list of packed pages for each sequence.
class TestPages {
 public:
  TestPages(const dsv4::kernels::RowLayout& layout, int64_t rows_per_page)
      : layout_(layout), rows_per_page_(rows_per_page) {}

  // A sequence's, from rows of floats; pages for `room` more rows are poisoned.
  void add(OnDevice& device, const std::vector<float>& x, int64_t room = 0) {
    using dsv4::kernels::pack_row;
    const int64_t rows = static_cast<int64_t>(x.size()) / layout_.dim;
    std::vector<std::vector<uint8_t>> pages(
        static_cast<size_t>((rows + room + rows_per_page_ - 1) / rows_per_page_),
        std::vector<uint8_t>(static_cast<size_t>(rows_per_page_ * layout_.bytes()), 0xa5));
    std::vector<uint8_t> row(static_cast<size_t>(layout_.bytes()));
    for (int64_t i = 0; i < rows; ++i) {
      pack_row(layout_, x.data() + i * layout_.dim, row.data());
      dsv4::kernels::store_row(layout_, row.data(),
                               pages[static_cast<size_t>(i / rows_per_page_)].data(),
                               i % rows_per_page_);
    }
    std::vector<uint8_t*> pointers;
    for (const auto& page : pages) pointers.push_back(device.put(page));
    lists_.push_back(device.put(pointers));
    pointers_.push_back(pointers);
    pages_.push_back(std::move(pages));
  }

  dsv4::kernels::cuda::SequencePages view(OnDevice& device) const {
    return {layout_, device.put(lists_), rows_per_page_};
  }
  // What the pages were at the beginning, on this side.
  std::vector<std::vector<uint8_t>>& pages(int64_t s) { return pages_[static_cast<size_t>(s)]; }
  // What they are now.
  std::vector<std::vector<uint8_t>> read(OnDevice& device, int64_t s) const {
    std::vector<std::vector<uint8_t>> now;
    for (const uint8_t* page : pointers_[static_cast<size_t>(s)]) {
      now.push_back(device.get(page, rows_per_page_ * layout_.bytes()));
    }
    return now;
  }

 private:
  dsv4::kernels::RowLayout layout_;
  int64_t rows_per_page_;
  std::vector<std::vector<std::vector<uint8_t>>> pages_;
  std::vector<std::vector<uint8_t*>> pointers_;
  std::vector<uint8_t* const*> lists_;
};

// Where the tokens' turns are, computed by the processor.
inline dsv4::kernels::RopeTable rope_table(const std::vector<float>& frequencies,
                                           std::vector<int64_t> positions) {
  for (int64_t& p : positions) p = std::max<int64_t>(p, 0);
  dsv4::kernels::RopeTable table;
  dsv4::kernels::fill_rope_table(frequencies, positions, table);
  return table;
}
