#include "preview.h"

namespace {

constexpr std::string_view kDots = "...";

// Whether a byte goes on with a character rather than beginning one.
bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }

}  // namespace

size_t characters(std::string_view text) {
  size_t count = 0;
  for (const char byte : text) count += continues(byte) ? 0 : 1;
  return count;
}

std::string preview(std::string_view text, size_t limit) {
  if (text.size() <= limit) return std::string(text);
  std::string result(text);
  result.replace(limit - kDots.size(), std::string::npos, kDots);
  return result;
}

std::string headline(std::string_view message, size_t limit) {
  const size_t begin = message.find_first_not_of("\r\n ");
  if (begin == std::string_view::npos) return {};
  message.remove_prefix(begin);
  return preview(message.substr(0, message.find_first_of("\r\n")), limit);
}
