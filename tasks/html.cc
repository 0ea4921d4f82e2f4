#include "tasks/html.h"

#include <cmath>
#include <cstdio>

#include "agent/printable.h"

namespace dsv4::tasks {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : agent::printable(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string markdown_escaped(std::string_view text) {
  constexpr std::string_view kSpecial = "\\`*_{}[]<>()#+!|~&$";
  std::string out;
  for (const char c : agent::printable_line(text, 400)) {
    if (kSpecial.find(c) != kSpecial.npos) out += '\\';
    out += c;
  }
  return out;
}

std::string shown_number(const nlohmann::ordered_json& number) {
  const double value = number.get<double>();
  char text[64];
  const bool whole = std::floor(value) == value;
  const bool fine = std::abs(value) < 1 && std::abs(value * 10 - std::round(value * 10)) > 1e-9;
  std::snprintf(text, sizeof(text), whole ? "%.0f" : fine ? "%.4f" : "%.1f", value);
  std::string digits = text;
  const size_t end = std::min(digits.find('.'), digits.size());
  const size_t begin = digits[0] == '-' ? 1 : 0;
  for (size_t at = end; at > begin + 3;) digits.insert(at -= 3, ",");
  return digits;
}

}  // namespace dsv4::tasks
