#include "ini.h"

namespace {

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// The value of what stands behind "key =".
std::string parse_value(std::string_view text, int line) {
  const std::string_view value = trimmed(text.substr(0, text.find('#')));
  if (value.empty()) throw IniError(line, "a value is missing");
  return std::string(value);
}

}  // namespace

Ini parse_ini(std::string_view text) {
  Ini ini;
  std::string prefix;
  int number = 0;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    ++number;
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[') {
      if (line.back() != ']') throw IniError(number, "a section is not closed");
      prefix = std::string(line.substr(1, line.size() - 2)) + ".";
      continue;
    }
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) throw IniError(number, "neither a section nor a value");
    const std::string key = prefix + std::string(trimmed(line.substr(0, equals)));
    if (!ini.emplace(key, parse_value(line.substr(equals + 1), number)).second) {
      throw IniError(number, key + " is there twice");
    }
  }
  return ini;
}
