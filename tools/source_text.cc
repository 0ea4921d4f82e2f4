#include "tools/source_text.h"

#include <algorithm>

namespace dsv4::tools {

std::string with_plain_line_ends(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (size_t k = 0; k < text.size(); ++k) {
    if (text[k] == '\r' && k + 1 < text.size() && text[k + 1] == '\n') continue;
    result += text[k];
  }
  return result;
}

SourceText::SourceText(std::string bytes) : bytes_(std::move(bytes)) {
  if (bytes_.starts_with("\xEF\xBB\xBF")) mark_ = 3;
  text_ = with_plain_line_ends(std::string_view(bytes_).substr(mark_));
  has_cr_ = text_.size() + mark_ != bytes_.size();
}

// Where text offset `offset` lies in the bytes. The end of a line is before its \r.
size_t SourceText::byte_of(size_t offset) const {
  if (!has_cr_) return offset + mark_;
  size_t byte = mark_;
  for (size_t k = 0; k < offset; ++k, ++byte) {
    if (bytes_[byte] == '\r' && byte + 1 < bytes_.size() && bytes_[byte + 1] == '\n') ++byte;
  }
  return byte;
}

// How the line with `offset` ends; the last line takes after the one before.
bool SourceText::crlf_near(size_t offset) const {
  if (!has_cr_) return false;
  size_t end = text_.find('\n', offset);
  if (end == std::string::npos) end = text_.rfind('\n', offset);
  if (end == std::string::npos) return false;
  return bytes_[byte_of(end)] == '\r';
}

std::string SourceText::replaced(size_t begin, size_t end, std::string_view replacement) const {
  std::string result = bytes_.substr(0, byte_of(begin));
  const bool crlf = crlf_near(begin);
  for (const char c : replacement) {
    if (c == '\n' && crlf) result += '\r';
    result += c;
  }
  return result + bytes_.substr(byte_of(end));
}

}  // namespace dsv4::tools
