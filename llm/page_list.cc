#include "llm/page_list.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace dsv4::llm {
namespace {

constexpr std::align_val_t kLine{64};

int64_t pages_for(int64_t rows) {
  return (rows + PageList::kRowsPerPage - 1) / PageList::kRowsPerPage;
}

}  // namespace

void PageMemory::Free::operator()(uint8_t* memory) const { ::operator delete(memory, kLine); }

uint8_t* PageMemory::take(int64_t bytes) {
  std::vector<uint8_t*>& free = free_[bytes];
  if (free.empty()) {
    constexpr int64_t kRegion = 4 * kLargest;
    const int64_t stride = (bytes + 63) / 64 * 64;
    const int64_t count = std::max<int64_t>(1, kRegion / stride);
    const auto size = static_cast<size_t>(count * stride);
    regions_.emplace_back(static_cast<uint8_t*>(::operator new(size, kLine)));
    for (int64_t i = count - 1; i >= 0; --i) free.push_back(regions_.back().get() + i * stride);
  }
  uint8_t* page = free.back();
  free.pop_back();
  return page;
}

void PageMemory::give_back(uint8_t* page, int64_t bytes) { free_[bytes].push_back(page); }

// Memory for some pages of a list and its copies. Goes when the last of them does.
class PageList::Slab {
 public:
  // For a list that has `held` pages: for few more when it is short, and in the end for as many as
  // one of the system's huge pages holds.
  Slab(std::shared_ptr<PageMemory> from, size_t held, int64_t page_bytes) : from_(std::move(from)) {
    const int64_t most = std::max<int64_t>(1, kHugePage / page_bytes);
    const int64_t pages = std::clamp(static_cast<int64_t>(held), int64_t{1}, most);
    huge_ = pages == most && page_bytes <= kHugePage;
    bytes_ = huge_ ? kHugePage : pages * page_bytes;
    memory_ = pooled()
                  ? from_->take(bytes_)
                  : static_cast<uint8_t*>(::operator new(static_cast<size_t>(bytes_), alignment()));
#if defined(__linux__)
    if (huge_) madvise(memory_, kHugePage, MADV_HUGEPAGE);
#endif
    for (int64_t i = pages - 1; i >= 0; --i) free_.push_back(memory_ + i * page_bytes);
  }
  ~Slab() {
    if (pooled()) {
      from_->give_back(memory_, bytes_);
    } else {
      ::operator delete(memory_, alignment());
    }
  }
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  // Null when none is left.
  uint8_t* take() {
    if (free_.empty()) return nullptr;
    uint8_t* page = free_.back();
    free_.pop_back();
    return page;
  }
  void give_back(uint8_t* page) { free_.push_back(page); }

 private:
  static constexpr int64_t kHugePage = int64_t{2} << 20;
  bool pooled() const { return !huge_ && bytes_ <= PageMemory::kLargest; }
  std::align_val_t alignment() const {
    return huge_ ? static_cast<std::align_val_t>(kHugePage) : kLine;
  }

  std::shared_ptr<PageMemory> from_;
  bool huge_ = false;
  int64_t bytes_ = 0;
  uint8_t* memory_ = nullptr;
  std::vector<uint8_t*> free_;  // the first page last
};

struct PageList::Page {
  Page(std::shared_ptr<PageMemory> counter, std::shared_ptr<Slab> from, uint8_t* page, int64_t size)
      : memory(std::move(counter)), slab(std::move(from)), bytes(size), data(page) {
    std::fill_n(data, bytes, uint8_t{0});
    memory->add(bytes);
  }
  ~Page() {
    slab->give_back(data);
    memory->add(-bytes);
  }
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  std::shared_ptr<PageMemory> memory;
  std::shared_ptr<Slab> slab;
  int64_t bytes;
  uint8_t* data;
};

PageList::PageList(int64_t row_bytes, std::shared_ptr<PageMemory> memory)
    : row_bytes_(row_bytes), memory_(std::move(memory)), table_(std::make_shared<Table>()) {}

int64_t PageList::bytes() const { return pages_for(size_) * kRowsPerPage * row_bytes_; }

std::shared_ptr<PageList::Page> PageList::make_page() {
  const int64_t bytes = kRowsPerPage * row_bytes_;
  uint8_t* data = slab_ == nullptr ? nullptr : slab_->take();
  if (data == nullptr) {
    slab_ = std::make_shared<Slab>(memory_, table_->pages.size(), bytes);
    data = slab_->take();
  }
  return std::make_shared<Page>(memory_, slab_, data, bytes);
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
  std::memcpy(copy->data, last->data, static_cast<size_t>(last->bytes));
  last = std::move(copy);
  table_->pointers.back() = last->data;
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
    table_->pointers.push_back(table_->pages.back()->data);
  }
  size_ = rows;
}

const uint8_t* PageList::page_of(int64_t i) const {
  return table_->pointers[static_cast<size_t>(i / kRowsPerPage)];
}

uint8_t* PageList::new_page_of(int64_t i) {
  return table_->pages[static_cast<size_t>(i / kRowsPerPage)]->data;
}

}  // namespace dsv4::llm
