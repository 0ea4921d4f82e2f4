#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::tools {

// Every byte sequence that is not UTF-8 becomes U+FFFD, as the Unicode standard recommends (one for
// each maximal broken part).
std::string valid_utf8(std::string_view bytes);

// Lines without their endings (\n or \r\n); a last line without an ending counts.
std::vector<std::string_view> split_lines(std::string_view text);

// At most `limit` bytes of one line, cut between characters, with "..." when cut.
std::string clipped(std::string_view line, size_t limit);

// Without terminal colours and other escape sequences, and the \r before a line's end.
std::string without_escapes(std::string_view text);

std::string_view trimmed(std::string_view text);
std::string_view indentation(std::string_view line);

// "<n>\t<text>" lines, numbered from `first`.
std::string numbered(const std::vector<std::string_view>& lines, size_t first);

// Head and tail of a text that is over the limit, at line ends where they are near, and between
// them what was cut and where the whole of it lies.
std::string head_and_tail(std::string_view text, size_t limit, const std::string& where);

}  // namespace dsv4::tools
