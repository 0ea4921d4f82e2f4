#include "tools/text.h"

#include <algorithm>
#include <cstdint>

namespace dsv4::tools {
namespace {

// The length of the character at the front of `s` and whether it is valid; a broken one has the
// length of its longest valid beginning.
struct Character {
  size_t size;
  bool valid;
};

Character front_character(std::string_view s) {
  const auto byte = [&](size_t k) { return static_cast<unsigned char>(s[k]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, true};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The second byte's range keeps out overlong forms, surrogates and what lies past U+10FFFF.
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead == 0xE0) low = 0xA0;
  if (lead == 0xED) high = 0x9F;
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;
  for (size_t k = 1; k < size; ++k) {
    if (k >= s.size() || byte(k) < low || byte(k) > high) return {k, false};
    low = 0x80;
    high = 0xBF;
  }
  return {size, true};
}

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

std::string valid_utf8(std::string_view bytes) {
  std::string result;
  result.reserve(bytes.size());
  while (!bytes.empty()) {
    const Character character = front_character(bytes);
    if (character.valid) {
      result += bytes.substr(0, character.size);
    } else {
      result += "\xEF\xBF\xBD";
    }
    bytes.remove_prefix(character.size);
  }
  return result;
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return lines;
}

std::string clipped(std::string_view line, size_t limit) {
  if (line.size() <= limit) return std::string(line);
  size_t end = limit < 3 ? 0 : limit - 3;
  while (end > 0 && continues(line[end])) --end;
  return std::string(line.substr(0, end)) + "...";
}

std::string without_escapes(std::string_view text) {
  const auto within = [&](size_t at, char low, char high) {
    return at < text.size() && text[at] >= low && text[at] <= high;
  };
  std::string result;
  for (size_t k = 0; k < text.size(); ++k) {
    if (text[k] == '\r' && k + 1 < text.size() && text[k + 1] == '\n') continue;
    if (text[k] != '\033' || k + 1 == text.size()) {
      result += text[k];
    } else if (text[++k] == '[') {  // parameters, then one letter
      while (within(k + 1, ' ', '?')) ++k;
      if (within(k + 1, '@', '~')) ++k;
    } else if (text[k] == ']') {  // up to a bell or a backslash behind an escape
      const size_t end = text.find_first_of("\a\033", k);
      k = end == std::string_view::npos ? k : text[end] == '\a' ? end : end + 1;
    } else {
      while (within(k, ' ', '/')) ++k;
    }
  }
  return result;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n\f\v";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) + 1 - first);
}

std::string_view indentation(std::string_view line) {
  return line.substr(0, std::min(line.size(), line.find_first_not_of(" \t")));
}

std::string numbered(const std::vector<std::string_view>& lines, size_t first) {
  std::string result;
  for (size_t k = 0; k < lines.size(); ++k) {
    if (k > 0) result += '\n';
    result += std::to_string(first + k) + '\t';
    result += lines[k];
  }
  return result;
}

std::string head_and_tail(std::string_view text, size_t limit, const std::string& where) {
  if (text.size() <= limit) return std::string(text);
  size_t head = limit / 2;
  size_t tail = text.size() - limit / 2;
  // Whole lines where that costs little.
  if (const size_t end = text.rfind('\n', head); end != std::string_view::npos && end > head / 2) {
    head = end + 1;
  }
  if (const size_t end = text.find('\n', tail);
      end != std::string_view::npos && end - tail < limit / 4) {
    tail = end + 1;
  }
  while (head > 0 && continues(text[head])) --head;
  while (tail < text.size() && continues(text[tail])) ++tail;
  std::string result(text.substr(0, head));
  if (!result.ends_with('\n')) result += '\n';
  result +=
      "[... " + std::to_string(tail - head) + " bytes cut; the whole is in " + where + " ...]\n";
  result += text.substr(tail);
  return result;
}

}  // namespace dsv4::tools
