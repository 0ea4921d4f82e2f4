#include "llm/row_ring.h"

#include <algorithm>
#include <utility>

namespace dsv4::llm {

struct RowRing::Block {
  Block(std::shared_ptr<PageMemory> counter, int64_t floats)
      : memory(std::move(counter)),
        bytes(floats * static_cast<int64_t>(sizeof(float))),
        data(reinterpret_cast<float*>(memory->take(bytes))) {
    memory->add(bytes);
  }
  ~Block() {
    memory->add(-bytes);
    memory->give_back(reinterpret_cast<uint8_t*>(data), bytes);
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  std::shared_ptr<PageMemory> memory;
  int64_t bytes;
  float* data;
};

RowRing::RowRing(int64_t rows, int64_t width, std::shared_ptr<PageMemory> memory)
    : width_(width),
      memory_(std::move(memory)),
      blocks_(static_cast<size_t>((rows + kBlockRows - 1) / kBlockRows)),
      pointers_(blocks_.size()) {
  clear();
}

void RowRing::clear() {
  const auto zeros = std::make_shared<Block>(memory_, block_floats());
  std::fill_n(zeros->data, block_floats(), 0.0f);
  std::fill(blocks_.begin(), blocks_.end(), zeros);
  std::fill(pointers_.begin(), pointers_.end(), zeros->data);
}

void RowRing::own_block(size_t block) {
  std::shared_ptr<Block>& held = blocks_[block];
  if (held.use_count() == 1) return;
  auto copy = std::make_shared<Block>(memory_, block_floats());
  std::copy_n(held->data, block_floats(), copy->data);
  held = std::move(copy);
  pointers_[block] = held->data;
}

void RowRing::find(int64_t begin, int64_t end, const float** out) const {
  for (int64_t p = begin; p < end;) {
    const int64_t next = std::min(end, p - p % kBlockRows + kBlockRows);
    for (const float* at = row(p); p < next; ++p, at += width_) *out++ = at;
  }
}

void RowRing::own(int64_t begin, int64_t end) {
  begin = std::max(begin, end - rows());
  for (int64_t p = begin; p < end;) {
    own_block(static_cast<size_t>(p % rows() / kBlockRows));
    p += kBlockRows - p % kBlockRows;
  }
}

}  // namespace dsv4::llm
