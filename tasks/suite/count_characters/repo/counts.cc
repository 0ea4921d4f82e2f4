#include "counts.h"

#include <cctype>

Counts count(std::string_view text) {
  Counts counts;
  bool in_word = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    ++counts.bytes;
    if (c == '\n') ++counts.lines;
    const bool blank = std::isspace(byte) != 0;
    if (!blank && !in_word) ++counts.words;
    in_word = !blank;
  }
  return counts;
}
