#include "llm/utf8.h"

#include <algorithm>

namespace dsv4::llm {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Lead {
  size_t length;            // of the whole character; 0: no character begins so
  unsigned char low, high;  // bounds of the second byte
};

Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte >= 0xC2 && byte <= 0xDF) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

// Bytes at the front that belong to one character, whole or not; 0 when none begins here.
size_t good_prefix(std::string_view text) {
  const Lead lead = lead_of(static_cast<unsigned char>(text[0]));
  if (lead.length == 0) return 0;
  const size_t end = std::min(lead.length, text.size());
  for (size_t i = 1; i < end; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const unsigned char low = i == 1 ? lead.low : 0x80;
    const unsigned char high = i == 1 ? lead.high : 0xBF;
    if (byte < low || byte > high) return i;
  }
  return end;
}

}  // namespace

size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const size_t length = lead_of(static_cast<unsigned char>(text[0])).length;
  return length != 0 && good_prefix(text) == length ? length : 0;
}

size_t utf8_broken_length(std::string_view text) { return std::max<size_t>(1, good_prefix(text)); }

bool utf8_incomplete(std::string_view text) {
  if (text.empty()) return false;
  const size_t length = lead_of(static_cast<unsigned char>(text[0])).length;
  return text.size() < length && good_prefix(text) == text.size();
}

std::string utf8_replace_broken(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    if (length != 0) {
      out.append(text.substr(0, length));
      text.remove_prefix(length);
    } else {
      out.append(kReplacement);
      text.remove_prefix(utf8_broken_length(text));
    }
  }
  return out;
}

std::string Utf8Stream::push(std::string_view bytes) {
  held_.append(bytes);
  // An unfinished character is at most three bytes long, so only the end can be one.
  size_t certain = held_.size();
  for (size_t back = 1; back <= std::min<size_t>(3, held_.size()); ++back) {
    if (utf8_incomplete(std::string_view(held_).substr(held_.size() - back))) {
      certain = held_.size() - back;
    }
  }
  std::string out = utf8_replace_broken(std::string_view(held_).substr(0, certain));
  held_.erase(0, certain);
  return out;
}

std::string Utf8Stream::finish() {
  std::string out = utf8_replace_broken(held_);
  held_.clear();
  return out;
}

}  // namespace dsv4::llm
