#include "llm/token_table.h"

#include <algorithm>

#include "llm/encoding.h"

namespace dsv4::llm {
namespace {

bool plain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\' && c != '<';
}

}  // namespace

TokenTable::TokenTable(const Tokenizer& tokenizer) {
  for (int32_t id = 0; id < tokenizer.size(); ++id) {
    const std::string_view bytes = tokenizer.bytes(id);
    if (!bytes.empty()) entries_.push_back({bytes, id});
  }
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return a.bytes < b.bytes || (a.bytes == b.bytes && a.id < b.id);
  });
  size_t at = 0;
  for (size_t byte = 0; byte < 256; ++byte) {
    first_byte_[byte] = at;
    while (at < entries_.size() && static_cast<unsigned char>(entries_[at].bytes[0]) == byte) ++at;
  }
  first_byte_[256] = at;
  for (const Entry& entry : entries_) {
    if (entry.bytes.find(marker::kDsml) != std::string_view::npos) with_marker_.push_back(entry);
    if (!std::all_of(entry.bytes.begin(), entry.bytes.end(), plain)) not_plain_.push_back(entry);
  }
}

TokenTable::Range TokenTable::narrow(Range range, size_t at, char byte) const {
  const auto wanted = static_cast<unsigned char>(byte);
  if (at == 0 && range.begin == 0 && range.end == entries_.size()) {
    return {first_byte_[wanted], first_byte_[wanted + 1U]};
  }
  const auto place = [&](size_t i) { return entries_.begin() + static_cast<std::ptrdiff_t>(i); };
  const auto order = [at](const Entry& entry, unsigned b) {
    return static_cast<unsigned char>(entry.bytes[at]) < b;
  };
  const auto begin =
      std::lower_bound(place(range.begin), place(range.end), unsigned{wanted}, order);
  const auto end = std::lower_bound(begin, place(range.end), wanted + 1U, order);
  return {static_cast<size_t>(begin - entries_.begin()),
          static_cast<size_t>(end - entries_.begin())};
}

TokenTable::Range TokenTable::beginning_with(std::string_view bytes) const {
  Range range = all();
  for (size_t at = 0; at < bytes.size() && !range.empty(); ++at) {
    while (!range.empty() && entries_[range.begin].bytes.size() <= at) ++range.begin;
    range = narrow(range, at, bytes[at]);
  }
  return range;
}

}  // namespace dsv4::llm
