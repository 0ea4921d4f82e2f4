#include "agent/printable.h"

#include <cstdio>

namespace dsv4::agent {
namespace {

bool steers_a_terminal(uint32_t code) {
  if (code < 0x20) return code != '\n' && code != '\t';
  if (code >= 0x7f && code <= 0x9f) return true;
  return code == 0x061c || (code >= 0x200e && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

void append_escape(std::string* out, const char* format, uint32_t value) {
  char escape[16];
  std::snprintf(escape, sizeof escape, format, value);
  *out += escape;
}

}  // namespace

uint32_t utf8_code(std::string_view text, size_t length) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text[i])); };
  if (length == 1) return byte(0);
  uint32_t code = byte(0) & (0xffu >> (length + 1));
  for (size_t i = 1; i < length; ++i) code = (code << 6) | (byte(i) & 0x3f);
  return code;
}

size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto first = static_cast<uint8_t>(text[0]);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((static_cast<uint8_t>(text[i]) & 0xc0) != 0x80) return 0;
  }
  const uint32_t code = utf8_code(text, length);
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[length] || code > 0x10ffff) return 0;
  return code >= 0xd800 && code <= 0xdfff ? 0 : length;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string to_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    if (length == 0) {
      out += "\xef\xbf\xbd";
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    if (length == 0) {
      append_escape(&out, "\\x%02x", static_cast<uint8_t>(text[0]));
      text.remove_prefix(1);
      continue;
    }
    const uint32_t code = utf8_code(text, length);
    if (!steers_a_terminal(code)) {
      out += text.substr(0, length);
    } else {
      append_escape(&out, code < 0x100 ? "\\x%02x" : "\\u%04x", code);
    }
    text.remove_prefix(length);
  }
  return out;
}

std::string printable_line(std::string_view text, size_t width) {
  std::string line = printable(text.substr(0, 4 * width + 4));
  size_t characters = 0;
  size_t cut = line.size();
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\n' || line[i] == '\t') line[i] = ' ';
    if ((static_cast<uint8_t>(line[i]) & 0xc0) == 0x80) continue;
    if (characters + 3 == width) cut = i;
    if (++characters > width) return line.substr(0, cut) + "...";
  }
  return line;
}

}  // namespace dsv4::agent
