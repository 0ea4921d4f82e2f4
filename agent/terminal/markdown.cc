#include "agent/terminal/markdown.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "agent/terminal/code.h"
#include "tools/highlight.h"

namespace dsv4::agent::terminal {
namespace {

size_t count_of(std::string_view text, char c) {
  const size_t other = text.find_first_not_of(c);
  return other == std::string_view::npos ? text.size() : other;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// ``` or ~~~ with three or more, and what follows it.
std::optional<std::string> fence_of(std::string_view text) {
  for (const char c : {'`', '~'}) {
    const size_t length = count_of(text, c);
    if (length < 3) continue;
    if (c == '`' && text.substr(length).find('`') != std::string_view::npos) continue;
    return std::string(length, c);
  }
  return std::nullopt;
}

// The length of "- ", "* ", "+ ", "12. " or "3) " at the front; 0 when there is none.
size_t list_marker(std::string_view text) {
  size_t at = 0;
  if (!text.empty() && (text[0] == '-' || text[0] == '*' || text[0] == '+')) {
    at = 1;
  } else {
    while (at < text.size() && at < 9 && std::isdigit(static_cast<unsigned char>(text[at]))) ++at;
    if (at == 0 || at == text.size() || (text[at] != '.' && text[at] != ')')) return 0;
    ++at;
  }
  return at < text.size() && text[at] == ' ' ? at + 1 : 0;
}

bool is_rule(std::string_view text) {
  size_t marks = 0;
  for (const char c : text) {
    if (c == ' ') continue;
    if ((c != '-' && c != '*' && c != '_') || c != text[0]) return false;
    ++marks;
  }
  return marks >= 3;
}

bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) || c == '_' || byte >= 0x80;
}

// The marks within a line. Each returns how many bytes it took, 0 when nothing starts here.
class Inline {
 public:
  Inline(Line& line, std::string_view text, Style style)
      : line_(line), text_(text), style_(style) {}

  void run() {
    size_t plain = 0;
    for (size_t at = 0; at < text_.size();) {
      const size_t before = at;
      const auto flush = [&] { line_.add(text_.substr(plain, before - plain), style_); };
      const size_t taken = take(at, flush);
      at += std::max<size_t>(taken, 1);
      if (taken > 0) plain = at;
    }
    line_.add(text_.substr(plain), style_);
  }

 private:
  template <typename Flush>
  size_t take(size_t at, const Flush& flush) {
    const std::string_view rest = text_.substr(at);
    switch (rest[0]) {
      case '\\':
        if (rest.size() < 2 || !std::ispunct(static_cast<unsigned char>(rest[1]))) return 0;
        flush();
        line_.add(rest.substr(1, 1), style_);
        return 2;
      case '`':
        return code(rest, flush);
      case '*':
      case '_':
        return emphasis(at, flush);
      case '[':
        return link(rest, flush);
      default:
        return 0;
    }
  }

  template <typename Flush>
  size_t code(std::string_view rest, const Flush& flush) {
    const size_t marks = count_of(rest, '`');
    const std::string fence(marks, '`');
    size_t end = marks;
    for (;;) {
      end = rest.find(fence, end);
      if (end == std::string_view::npos) return 0;
      const size_t run = count_of(rest.substr(end), '`');
      if (run == marks) break;
      end += run;
    }
    flush();
    line_.add(rest.substr(marks, end - marks), Style::kCode);
    return end + marks;
  }

  template <typename Flush>
  size_t emphasis(size_t at, const Flush& flush) {
    const std::string_view rest = text_.substr(at);
    const char mark = rest[0];
    const size_t marks = std::min<size_t>(count_of(rest, mark), 2);
    if (rest.size() <= marks || rest[marks] == ' ' || rest[marks] == mark) return 0;
    if (mark == '_' && at > 0 && is_word(text_[at - 1])) return 0;  // snake_case
    const std::string close(marks, mark);
    for (size_t end = rest.find(close, marks); end != std::string_view::npos;
         end = rest.find(close, end + 1)) {
      const size_t behind = end + marks;
      if (rest[end - 1] == ' ' || (behind < rest.size() && rest[behind] == mark)) continue;
      if (mark == '_' && behind < rest.size() && is_word(rest[behind])) continue;
      flush();
      Inline(line_, rest.substr(marks, end - marks), marks == 2 ? Style::kStrong : Style::kEmphasis)
          .run();
      return behind;
    }
    return 0;
  }

  template <typename Flush>
  size_t link(std::string_view rest, const Flush& flush) {
    const size_t middle = rest.find("](");
    if (middle == std::string_view::npos) return 0;
    const size_t end = rest.find(')', middle);
    if (end == std::string_view::npos) return 0;
    flush();
    const std::string_view words = rest.substr(1, middle - 1);
    const std::string_view target = rest.substr(middle + 2, end - middle - 2);
    line_.add(words, Style::kEmphasis);
    if (target != words) line_.add(" (" + std::string(target) + ")", Style::kDim);
    return end + 1;
  }

  Line& line_;
  std::string_view text_;
  Style style_;
};

Line prose(std::string_view text) {
  const size_t indent = std::min(text.find_first_not_of(' '), text.size());
  const std::string_view body = text.substr(indent);
  Line line;
  if (const size_t marks = count_of(body, '#');
      marks >= 1 && marks <= 6 && marks < body.size() && body[marks] == ' ') {
    Inline(line, body.substr(marks + 1), Style::kHeading).run();
    return line.fold(Line::Fold::kWords);
  }
  if (is_rule(body)) return line.add(std::string(20, '-'), Style::kDim);
  if (body.starts_with("|")) return line.add(text);  // a table keeps its columns
  line.add(text.substr(0, indent));
  if (body.starts_with(">")) {
    line.add("| ", Style::kDim);
    const size_t inner = std::min(body.find_first_not_of("> "), body.size());
    Inline(line, body.substr(inner), Style::kDim).run();
    return line.fold(Line::Fold::kWords, indent + 2);
  }
  const size_t marker = list_marker(body);
  line.add(body.substr(0, marker), Style::kStrong);
  Inline(line, body.substr(marker), Style::kPlain).run();
  return line.fold(Line::Fold::kWords, indent + marker);
}

}  // namespace

Lines Markdown::push(std::string_view piece) {
  rest_ += piece;
  Lines out;
  for (size_t newline = rest_.find('\n'); newline != std::string::npos;
       newline = rest_.find('\n')) {
    std::string text = rest_.substr(0, newline);
    rest_.erase(0, newline + 1);
    if (text.ends_with('\r')) text.pop_back();
    for (Line& each : line(text)) out.push_back(std::move(each));
  }
  return out;
}

Lines Markdown::begun() const {
  if (rest_.empty()) return {};
  if (!fence_.empty()) return {Line("  " + rest_)};
  return {prose(rest_)};
}

Lines Markdown::finish() {
  Lines out;
  if (!rest_.empty()) out = line(rest_);
  *this = Markdown();
  return out;
}

Lines Markdown::line(std::string_view text) {
  const size_t indent = std::min(text.find_first_not_of(' '), text.size());
  const std::string_view body = text.substr(indent);
  if (!fence_.empty()) {
    const bool closes = body.starts_with(fence_) &&
                        body.find_first_not_of(fence_[0]) == body.find_first_of(" \t\r");
    if (!closes) return {code_line(text)};
    fence_.clear();
    return {};
  }
  const auto fence = fence_of(body);
  if (!fence) return {prose(text)};
  fence_ = *fence;
  code_indent_ = indent;
  code_.clear();
  code_lines_ = 0;
  std::string_view tag = body.substr(fence_.size());
  while (!tag.empty() && is_blank(tag.front())) tag.remove_prefix(1);
  tag = tag.substr(0, tag.find_first_of(" \t{"));
  language_ = tools::language_named(tag);
  return {};
}

Line Markdown::code_line(std::string_view text) {
  const size_t blanks = std::min({text.find_first_not_of(' '), text.size(), code_indent_});
  Line shown("  ");
  shown.fold(Line::Fold::kCharacters, 2);
  if (language_ == tools::Language::kNone || code_.size() > kMostColoured) {
    return shown.add(text.substr(blanks));
  }
  code_ += text.substr(blanks);
  code_ += '\n';
  return shown.add(code_lines(language_, code_, code_lines_++).at(0));
}

}  // namespace dsv4::agent::terminal
