#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::agent::github {

// Follows a Markdown text line by line and knows where a line is shown as what somebody says, and
// not as code or a quotation. In doubt it is not: code that nobody ends goes on.
class PlainLines {
 public:
  // Whether a line that comes now begins as plain text.
  bool plain() const { return fence_ == 0 && ticks_ == 0 && open_.empty(); }
  // The line, without its end.
  void add(std::string_view line);

 private:
  bool fence(std::string_view line);
  void back_ticks(size_t length);
  void tag(std::string_view from);

  size_t fence_ = 0;  // length of the open fence; 0: none
  char fence_mark_ = 0;
  size_t ticks_ = 0;               // of the code that a paragraph has begun and not ended
  std::vector<std::string> open_;  // HTML elements that show code or quote
};

}  // namespace dsv4::agent::github
