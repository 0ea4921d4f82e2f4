#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "llm/tokenizer.h"

namespace dsv4::llm {

// The tokens of a vocabulary in the order of their bytes, so that those which go on in a certain
// way lie side by side. Views point into the tokenizer, which must outlive it.
class TokenTable {
 public:
  struct Entry {
    std::string_view bytes;  // never empty
    int32_t id = 0;
  };
  struct Range {
    size_t begin = 0, end = 0;
    bool empty() const { return begin == end; }
  };

  explicit TokenTable(const Tokenizer& tokenizer);

  const Entry& operator[](size_t i) const { return entries_[i]; }
  Range all() const { return {0, entries_.size()}; }

  // Those of the range, which agree in their first `at` bytes and have more, that have `byte`
  // there.
  Range narrow(Range range, size_t at, char byte) const;
  // Those that begin with these bytes.
  Range beginning_with(std::string_view bytes) const;

  // Tokens in which a tag of calls, or the rest of one, could end: those that hold ｜DSML｜.
  std::span<const Entry> with_marker() const { return with_marker_; }
  // Tokens that hold a byte which means something in a JSON string, or '<'.
  std::span<const Entry> not_plain() const { return not_plain_; }

 private:
  std::vector<Entry> entries_;
  std::array<size_t, 257> first_byte_{};  // where those with each first byte begin
  std::vector<Entry> with_marker_, not_plain_;
};

}  // namespace dsv4::llm
