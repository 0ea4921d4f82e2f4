#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

namespace dsv4::llm {

// Memory for the pages that a family of lists or rings holds, and how many bytes those are, each
// page once. Must not be shared between threads, nor may the lists.
class PageMemory {
 public:
  PageMemory() = default;
  PageMemory(const PageMemory&) = delete;
  PageMemory& operator=(const PageMemory&) = delete;

  int64_t bytes() const { return bytes_; }
  void add(int64_t bytes) { bytes_ += bytes; }

  // Small pages come out of larger regions, which go when this does, and those that were given
  // back are used again: in the heap, what is small and stays would come to lie between pages that
  // come and go, until none fits where another was.
  static constexpr int64_t kLargest = 64 << 10;
  uint8_t* take(int64_t bytes);  // aligned to 64
  void give_back(uint8_t* page, int64_t bytes);

 private:
  struct Free {
    void operator()(uint8_t* memory) const;
  };
  int64_t bytes_ = 0;
  std::map<int64_t, std::vector<uint8_t*>> free_;  // by bytes
  std::vector<std::unique_ptr<uint8_t, Free>> regions_;
};

// A growing list of rows of equal size, in pages. Long lists lie in large pieces of memory, which
// the system can map at once: reading through a million tokens would else wait for its page tables.
// Copying a list costs the same whatever its length: copies share pages, and one that grows takes
// over what it may not write to.
class PageList {
 public:
  static constexpr int64_t kRowsPerPage = 128;

  PageList(int64_t row_bytes, std::shared_ptr<PageMemory> memory);

  int64_t size() const { return size_; }
  int64_t row_bytes() const { return row_bytes_; }
  // Of its pages, shared or not.
  int64_t bytes() const;

  // Makes room for rows at the end, to be written before they are read, or forgets the last ones.
  void resize(int64_t rows);

  const uint8_t* row(int64_t i) const { return page_of(i) + i % kRowsPerPage * row_bytes_; }
  // A row that the last resize has added.
  uint8_t* new_row(int64_t i) { return new_page_of(i) + i % kRowsPerPage * row_bytes_; }

  // The page that has row i as its row i % kRowsPerPage, for rows that are interleaved in it.
  const uint8_t* page_of(int64_t i) const;
  // The same of a row that the last resize has added; what other rows have in it stays as it is.
  uint8_t* new_page_of(int64_t i);

  // Row i is in page i / kRowsPerPage. Valid until the next resize.
  const uint8_t* const* pages() const { return table_->pointers.data(); }

 private:
  class Slab;
  struct Page;
  struct Table {
    std::vector<std::shared_ptr<Page>> pages;
    std::vector<const uint8_t*> pointers;
  };

  std::shared_ptr<Page> make_page();
  void own_table();
  void own_last_page();

  int64_t row_bytes_;
  int64_t size_ = 0;
  std::shared_ptr<PageMemory> memory_;
  std::shared_ptr<Table> table_;
  std::shared_ptr<Slab> slab_;  // where new pages come from
};

}  // namespace dsv4::llm
