#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "tools/syntax.h"

namespace dsv4::tools {

enum class Token { kComment, kString, kNumber, kKeyword, kType, kFunction, kConstant };

// Bytes [begin, end) of a source that are one token.
struct Coloured {
  size_t begin = 0;
  size_t end = 0;
  Token token = Token::kKeyword;
};

// What is worth a colour, in order and without overlaps; empty for kNone and for text that parse()
// refuses. Goes by the names that grammars share, so that a new one needs nothing here.
std::vector<Coloured> highlight(Language language, std::string_view source);

// By the word after a Markdown fence: "python", "py", "c++", "cpp", ...
Language language_named(std::string_view word);

}  // namespace dsv4::tools
