#include "tools/line_pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>

#include "tools/error.h"

namespace dsv4::tools {
namespace {

constexpr uint32_t kMatchSteps = 1'000'000;  // for one line

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Compiled = std::unique_ptr<pcre2_code, Freed<pcre2_code_free>>;

Compiled compiled(const std::string& pattern, uint32_t options) {
  const std::unique_ptr<pcre2_compile_context, Freed<pcre2_compile_context_free>> context(
      pcre2_compile_context_create(nullptr));
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int code = 0;
  PCRE2_SIZE offset = 0;
  options |= PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C;
  Compiled result(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                options, &code, &offset, context.get()));
  if (!result) {
    std::array<PCRE2_UCHAR, 200> message{};
    pcre2_get_error_message(code, message.data(), message.size());
    throw ToolError("search: the pattern is no regular expression (" +
                    std::string(reinterpret_cast<const char*>(message.data())) + " at character " +
                    std::to_string(offset) + "); put a backslash before special characters.");
  }
  pcre2_jit_compile(result.get(), PCRE2_JIT_COMPLETE);
  return result;
}

}  // namespace

struct LinePattern::Code {
  Compiled line;
  Compiled whole;  // for texts of many lines, where that comes to the same
};

LinePattern::LinePattern(const std::string& pattern)
    : parts_(look_at(pattern)),
      literal_(parts_.literal),
      code_(new Code{compiled(pattern, 0), nullptr}) {
  constexpr size_t kShort = 3;  // too short to pass over much of a text
  if (parts_.literal.size() < kShort && parts_.in_line) {
    code_->whole = compiled(pattern, PCRE2_MULTILINE);
  }
}

LinePattern::~LinePattern() = default;

struct LinePattern::Matcher::State {
  std::unique_ptr<pcre2_match_data, Freed<pcre2_match_data_free>> data;
  std::unique_ptr<pcre2_match_context, Freed<pcre2_match_context_free>> context;
};

LinePattern::Matcher::Matcher(const LinePattern& pattern)
    : pattern_(pattern), state_(std::make_unique<State>()) {
  state_->data.reset(pcre2_match_data_create(1, nullptr));
  state_->context.reset(pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(state_->context.get(), kMatchSteps);
  pcre2_set_depth_limit(state_->context.get(), 10'000);
  pcre2_set_heap_limit(state_->context.get(), 20'000);  // KiB
}

LinePattern::Matcher::~Matcher() = default;

// A place in a text, by lines.
struct LinePattern::Matcher::Text {
  std::string_view text;
  size_t at = 0;      // where a line begins
  size_t number = 1;  // its number

  bool done() const { return at >= text.size(); }
  size_t end() const { return std::min(text.find('\n', at), text.size()); }
  std::string_view line() const {
    std::string_view result = text.substr(at, end() - at);
    if (result.ends_with('\r') && end() < text.size()) result.remove_suffix(1);
    return result;
  }
  void next() {
    at = end() + 1;
    ++number;
  }
  // To the line that holds `place`, further on.
  void go_to(size_t place) {
    const auto begin = text.begin();
    number += static_cast<size_t>(std::count(begin + static_cast<std::ptrdiff_t>(at),
                                             begin + static_cast<std::ptrdiff_t>(place), '\n'));
    at = place == 0 ? 0 : text.rfind('\n', place - 1) + 1;
  }
};

LinePattern::Matcher::Found LinePattern::Matcher::in(std::string_view line) {
  const int result =
      pcre2_match(pattern_.code_->line.get(), reinterpret_cast<PCRE2_SPTR>(line.data()),
                  line.size(), 0, 0, state_->data.get(), state_->context.get());
  if (result >= 0) return Found::kYes;
  return result == PCRE2_ERROR_NOMATCH ? Found::kNo : Found::kTooCostly;
}

std::optional<size_t> LinePattern::Matcher::find_in_each(Text text, const Hit& hit) {
  for (; !text.done(); text.next()) {
    const std::string_view line = text.line();
    const Found found = in(line);
    if (found == Found::kTooCostly) return text.number;
    if (found == Found::kYes && !hit(text.number, line)) break;
  }
  return std::nullopt;
}

std::optional<size_t> LinePattern::Matcher::find_by_literal(Text text, const Hit& hit) {
  while (!text.done()) {
    const size_t place = pattern_.literal_.find(text.text, text.at);
    if (place == std::string_view::npos) break;
    text.go_to(place);
    const std::string_view line = text.line();
    const Found found = pattern_.parts_.is_literal ? Found::kYes : in(line);
    if (found == Found::kTooCostly) return text.number;
    if (found == Found::kYes && !hit(text.number, line)) break;
    text.next();
  }
  return std::nullopt;
}

std::optional<size_t> LinePattern::Matcher::find_in_whole(Text text, const Hit& hit) {
  while (!text.done()) {
    const int result =
        pcre2_match(pattern_.code_->whole.get(), reinterpret_cast<PCRE2_SPTR>(text.text.data()),
                    text.text.size(), text.at, 0, state_->data.get(), state_->context.get());
    if (result == PCRE2_ERROR_NOMATCH) break;
    if (result < 0) return find_in_each(text, hit);  // too much for all at once
    const size_t place = pcre2_get_ovector_pointer(state_->data.get())[0];
    if (place >= text.text.size() && place > 0) {  // behind the last line's end
      if (text.text.back() == '\n') break;
    }
    text.go_to(place);
    if (!hit(text.number, text.line())) break;
    text.next();
  }
  return std::nullopt;
}

std::optional<size_t> LinePattern::Matcher::find(std::string_view text, const Hit& hit) {
  if (pattern_.code_->whole) {
    // Of a line that ends in \r\n the end is before both.
    const bool plain_ends = text.find('\r') == std::string_view::npos;
    return plain_ends ? find_in_whole({text}, hit) : find_in_each({text}, hit);
  }
  if (pattern_.parts_.literal.empty()) return find_in_each({text}, hit);
  return find_by_literal({text}, hit);
}

}  // namespace dsv4::tools
