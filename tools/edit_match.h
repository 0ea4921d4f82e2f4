#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace dsv4::tools {

// Bytes [begin, end) of a text.
struct Span {
  size_t begin = 0;
  size_t end = 0;
};

// What an edit puts where.
struct Replacement {
  Span span{};
  std::string text{};
  bool removes_lines = false;  // whole lines go and nothing comes in their place
  std::string note{};          // how old differed from the file, empty when it does not matter
  // The same with the further lines of the new text as they were given, where both readings are
  // possible.
  std::optional<std::string> literal{};
};

// old stands in more than one place.
struct Several {
  // No more are looked for: counting them in a large file of one line takes for ever.
  static constexpr size_t kMost = 200;
  std::vector<size_t> lines;  // from 1
};

// old stands nowhere; the lines (from 1, in order) most like its beginning.
struct Miss {
  std::vector<size_t> closest;
};

using Match = std::variant<Replacement, Several, Miss>;

// Where `old` is within the span of the text and what replaces it. In order: the exact text; whole
// lines but for trailing spaces; whole lines whatever their indentation, the new lines shifted to
// the file's; both; whole lines with typographic quotes, dashes and spaces read as plain ones.
Match match(std::string_view text, Span within, std::string_view old, std::string_view replacement);

// The lines of `replacement` with their common indentation exchanged for `wanted`.
std::string reindented(std::string_view replacement, std::string_view old_indentation,
                       std::string_view wanted);

}  // namespace dsv4::tools
