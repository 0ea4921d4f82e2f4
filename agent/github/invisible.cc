#include "agent/github/invisible.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "agent/printable.h"

namespace dsv4::agent::github {
namespace {

struct Range {
  uint32_t first;
  uint32_t last;
};

constexpr std::array kInvisible = {
    Range{0x00, 0x08},       Range{0x0b, 0x0c},       Range{0x0e, 0x1f},
    Range{0x7f, 0x9f},       Range{0xad, 0xad},       Range{0x34f, 0x34f},
    Range{0x600, 0x605},     Range{0x61c, 0x61c},     Range{0x6dd, 0x6dd},
    Range{0x70f, 0x70f},     Range{0x890, 0x891},     Range{0x8e2, 0x8e2},
    Range{0x115f, 0x1160},   Range{0x17b4, 0x17b5},   Range{0x180b, 0x180f},
    Range{0x200b, 0x200f},   Range{0x202a, 0x202e},   Range{0x2060, 0x206f},
    Range{0x2800, 0x2800},   Range{0x3164, 0x3164},   Range{0xfe00, 0xfe0f},
    Range{0xfeff, 0xfeff},   Range{0xffa0, 0xffa0},   Range{0xfff0, 0xfffb},
    Range{0x110bd, 0x110bd}, Range{0x110cd, 0x110cd}, Range{0x13430, 0x1345f},
    Range{0x1bca0, 0x1bca3}, Range{0x1d173, 0x1d17a}, Range{0xe0000, 0xe0fff},
    Range{0xf0000, 0x10ffff}};

// Named references to some of them.
constexpr std::array<std::string_view, 12> kNames = {
    "shy", "zwj", "zwnj", "lrm",           "rlm",           "NoBreak", "ZeroWidthSpace",
    "af",  "it",  "ic",   "ApplyFunction", "InvisibleTimes"};

// The length of a character reference at the front of the text that stands for something invisible.
std::optional<size_t> invisible_reference(std::string_view text) {
  if (text.size() < 3 || text[0] != '&') return std::nullopt;
  if (text[1] != '#') {
    const size_t end = text.substr(0, 24).find(';');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view name = text.substr(1, end - 1);
    const bool known = std::find(kNames.begin(), kNames.end(), name) != kNames.end();
    return known ? std::optional(end + 1) : std::nullopt;
  }
  const bool hex = text[2] == 'x' || text[2] == 'X';
  const char* begin = text.data() + (hex ? 3 : 2);
  const char* end = text.data() + text.size();
  uint64_t code = 0;
  const auto [rest, error] = std::from_chars(begin, end, code, hex ? 16 : 10);
  if (rest == begin) return std::nullopt;
  const bool hidden = error != std::errc() || code > 0x10ffff || code == '\r' ||
                      is_invisible(static_cast<uint32_t>(code));
  if (!hidden) return std::nullopt;
  return static_cast<size_t>(rest - text.data()) + (rest != end && *rest == ';' ? 1 : 0);
}

// Line by line, so that a line with a fence and something invisible in it is known.
class Cleaner {
 public:
  WithoutInvisible run(std::string_view text) {
    while (!text.empty()) text.remove_prefix(step(text));
    end_line();
    return std::move(out_);
  }

 private:
  size_t step(std::string_view text) {
    const char c = text[0];
    if (c == '\r' || c == '\n') {
      end_line();
      line_ += '\n';
      return c == '\r' && text.size() > 1 && text[1] == '\n' ? 2 : 1;
    }
    if (const auto reference = invisible_reference(text)) return hide(*reference);
    const size_t length = utf8_length(text);
    if (length == 0) {
      line_ += "\xef\xbf\xbd";
      odd_ = true;
      return 1;
    }
    const uint32_t code = utf8_code(text, length);
    if (code == 0x2028 || code == 0x2029) {
      line_ += ' ';
      return hide(length);
    }
    if (is_invisible(code)) return hide(length);
    line_ += text.substr(0, length);
    return length;
  }

  size_t hide(size_t length) {
    ++out_.characters;
    odd_ = true;
    return length;
  }

  void end_line() {
    const bool fence =
        line_.find("```") != std::string::npos || line_.find("~~~") != std::string::npos;
    out_.in_fences = out_.in_fences || (odd_ && fence);
    out_.text += line_;
    line_.clear();
    odd_ = false;
  }

  WithoutInvisible out_;
  std::string line_;
  bool odd_ = false;  // the line is not as it was
};

}  // namespace

bool is_invisible(uint32_t code) {
  if ((code & 0xfffe) == 0xfffe) return true;  // no characters at all
  return std::any_of(kInvisible.begin(), kInvisible.end(), [code](const Range& range) {
    return code >= range.first && code <= range.last;
  });
}

WithoutInvisible without_invisible(std::string_view text) {
  WithoutInvisible all = Cleaner().run(text);
  // What was taken out may have stood inside another reference. Nobody nests them a hundred deep
  // but to keep us busy.
  for (int round = 0;; ++round) {
    if (round == 100) std::erase(all.text, '&');
    WithoutInvisible again = Cleaner().run(all.text);
    if (again.characters == 0) return all;
    again.characters += all.characters;
    again.in_fences = again.in_fences || all.in_fences;
    all = std::move(again);
  }
}

}  // namespace dsv4::agent::github
