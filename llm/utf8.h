#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace dsv4::llm {

// Bytes that a character of well-formed UTF-8 (RFC 3629: no surrogates, nothing over U+10FFFF, no
// overlong forms) takes at the front of `text`; 0 when there is none.
size_t utf8_length(std::string_view text);

// Bytes at the front of `text`, which has no whole character there, that one U+FFFD replaces: the
// longest prefix of a character, or one byte (Unicode 15, section 3.9, "maximal subpart"; what
// Python's errors="replace" does). `text` is not empty.
size_t utf8_broken_length(std::string_view text);

// True when more bytes could turn the front of `text` into a character: all of it is the beginning
// of one.
bool utf8_incomplete(std::string_view text);

// The text with every broken sequence replaced by U+FFFD.
std::string utf8_replace_broken(std::string_view text);

// Joins pieces that may cut characters into text that is valid UTF-8 at every moment.
class Utf8Stream {
 public:
  // The text that is certain now; the beginning of an unfinished character is held back.
  std::string push(std::string_view bytes);
  // What was held back, as U+FFFD.
  std::string finish();

 private:
  std::string held_;
};

}  // namespace dsv4::llm
