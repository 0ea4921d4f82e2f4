#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace dsv4::agent {

// Text that cannot steer a terminal: control characters other than newline and tab, the C1 range,
// and the characters that turn the direction of writing become visible escapes such as \x1b or
// \u202e; bytes that are not UTF-8 become \xNN. For anything that came from the model, a file or a
// command and is shown to a person.
std::string printable(std::string_view text);

// As printable(), on one line (newline and tab become blanks) of at most `width` characters, with
// "..." where it was cut.
std::string printable_line(std::string_view text, size_t width);

// Length of the UTF-8 sequence that begins at text[0] (1 to 4), or 0 when it is not valid: overlong
// forms, surrogates and values past U+10FFFF are not.
size_t utf8_length(std::string_view text);

// The character that a sequence of that length is.
uint32_t utf8_code(std::string_view text, size_t length);

bool is_utf8(std::string_view text);

// The text with every byte that is not UTF-8 replaced by U+FFFD: what JSON and the model can take.
std::string to_utf8(std::string_view text);

}  // namespace dsv4::agent
