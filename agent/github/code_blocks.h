#pragma once

#include <string_view>
#include <vector>

namespace dsv4::agent::github {

// A part of a Markdown text.
struct Block {
  std::string_view text;
  bool code = false;  // shown as it is, whatever it looks like
};

// Splits a text at its fenced code blocks, the fences included; the parts together are the text.
// Only what every reader of CommonMark takes for code is called code: a fence at the beginning of
// a line, after a blank line, outside anything that a comment, a declaration or raw HTML could
// still hold open. From the first doubt on nothing is.
std::vector<Block> split_at_code(std::string_view text);

}  // namespace dsv4::agent::github
