#pragma once

#include <string>
#include <string_view>

namespace dsv4::tools {

// What can be said of a Perl regular expression by looking at it, so that most of a text need not
// be matched line by line. In doubt nothing is said.
struct PatternParts {
  // Every match holds these bytes, case and all; empty when none are known.
  std::string literal{};
  bool is_literal = false;  // the pattern is the literal and nothing else
  // No part of it can match or look across the end of a line, so that in a text of many lines it
  // finds what it finds in each line alone.
  bool in_line = false;
};
PatternParts look_at(std::string_view pattern);

// Finds a text by its rarest byte. Views the text, which must outlive it.
class LiteralFinder {
 public:
  explicit LiteralFinder(std::string_view literal);

  // Where it stands first at or after `from`; npos when nowhere.
  size_t find(std::string_view text, size_t from) const;

 private:
  std::string_view literal_;
  size_t rarest_ = 0;  // its place in the literal
};

}  // namespace dsv4::tools
