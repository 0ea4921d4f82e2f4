#pragma once

#include <string>
#include <string_view>

namespace dsv4::tools {

// A file's bytes seen as text with plain \n line ends and no byte order mark. Changes are made to
// the bytes they stand for, so that what was not changed keeps its own line ends.
class SourceText {
 public:
  explicit SourceText(std::string bytes);

  const std::string& text() const { return text_; }

  // The file's bytes with text [begin, end) replaced; the replacement gets the line ends that
  // surround it.
  std::string replaced(size_t begin, size_t end, std::string_view replacement) const;

 private:
  size_t byte_of(size_t offset) const;
  bool crlf_near(size_t offset) const;

  std::string bytes_;
  std::string text_;
  size_t mark_ = 0;      // bytes of the byte order mark
  bool has_cr_ = false;  // some line ends in \r\n
};

// \r\n as \n.
std::string with_plain_line_ends(std::string_view text);

}  // namespace dsv4::tools
