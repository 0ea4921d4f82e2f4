#include "llm/page_list.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace dsv4::llm {
namespace {

int64_t pages_for(int64_t rows) {
  return (rows + PageList::kRowsPerPage - 1) / PageList::kRowsPerPage;
}

}  // namespace

struct PageList::Page {
  Page(std::shared_ptr<PageMemory> counter, int64_t size)
      : memory(std::move(counter)),
        bytes(size),
        data(std::make_unique<uint8_t[]>(static_cast<size_t>(size))) {
    memory->bytes_ += bytes;
  }
  ~Page() { memory->bytes_ -= bytes; }
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  std::shared_ptr<PageMemory> memory;
  int64_t bytes;
  std::unique_ptr<uint8_t[]> data;
};

PageList::PageList(int64_t row_bytes, std::shared_ptr<PageMemory> memory)
    : row_bytes_(row_bytes), memory_(std::move(memory)), table_(std::make_shared<Table>()) {}

int64_t PageList::bytes() const { return pages_for(size_) * kRowsPerPage * row_bytes_; }

std::shared_ptr<PageList::Page> PageList::make_page() const {
  return std::make_shared<Page>(memory_, kRowsPerPage * row_bytes_);
}

void PageList::own_table() {
  if (table_.use_count() > 1) table_ = std::make_shared<Table>(*table_);
}

// The last page may be shared although the table is not. Its rows may be interleaved: all of it is
// copied.
void PageList::own_last_page() {
  std::shared_ptr<Page>& last = table_->pages.back();
  if (last.use_count() == 1) return;
  std::shared_ptr<Page> copy = make_page();
  std::memcpy(copy->data.get(), last->data.get(), static_cast<size_t>(last->bytes));
  last = std::move(copy);
  table_->pointers.back() = last->data.get();
}

void PageList::resize(int64_t rows) {
  if (rows == size_) return;
  own_table();
  const auto kept = static_cast<size_t>(pages_for(std::min(rows, size_)));
  table_->pages.resize(kept);
  table_->pointers.resize(kept);
  if (rows > size_ && size_ % kRowsPerPage != 0) own_last_page();
  for (int64_t page = static_cast<int64_t>(kept); page < pages_for(rows); ++page) {
    table_->pages.push_back(make_page());
    table_->pointers.push_back(table_->pages.back()->data.get());
  }
  size_ = rows;
}

const uint8_t* PageList::page_of(int64_t i) const {
  return table_->pointers[static_cast<size_t>(i / kRowsPerPage)];
}

uint8_t* PageList::new_page_of(int64_t i) {
  return table_->pages[static_cast<size_t>(i / kRowsPerPage)]->data.get();
}

}  // namespace dsv4::llm
