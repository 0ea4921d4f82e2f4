#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dsv4::agent::github {

// A character that a reader of the page does not see, or that changes the direction in which others
// are shown: controls, format and zero-width characters, bidirectional marks and overrides,
// fillers, variation selectors and the tags block (Unicode 16, general category Cf and
// Default_Ignorable_Code_Point, and what fonts draw as nothing).
bool is_invisible(uint32_t code);

struct WithoutInvisible {
  std::string text;
  size_t characters = 0;  // taken out
  // One stood on a line with ``` or ~~~, so where code blocks are is not what it seems.
  bool in_fences = false;
};

// Takes them out, and character references such as &#x200b; that stand for them. Line ends become
// "\n", separators of lines and paragraphs blanks, bytes that are not UTF-8 U+FFFD.
WithoutInvisible without_invisible(std::string_view text);

}  // namespace dsv4::agent::github
