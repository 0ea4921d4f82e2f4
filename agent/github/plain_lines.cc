#include "agent/github/plain_lines.h"

#include <algorithm>
#include <array>

namespace dsv4::agent::github {
namespace {

size_t run_of(std::string_view text, char mark) {
  return std::min(text.find_first_not_of(mark), text.size());
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r") == std::string_view::npos;
}

std::string lower_name(std::string_view text) {
  std::string name;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (c < 'a' || c > 'z') break;
    name += c;
  }
  return name;
}

bool quotes(const std::string& element) {
  constexpr auto kElements = std::to_array<std::string_view>(
      {"blockquote", "cite",     "code",      "iframe", "kbd", "listing", "math",   "noembed",
       "noframes",   "noscript", "plaintext", "pre",    "q",   "samp",    "script", "style",
       "svg",        "template", "textarea",  "title",  "tt",  "var",     "xmp"});
  return std::find(kElements.begin(), kElements.end(), element) != kElements.end();
}

}  // namespace

void PlainLines::add(std::string_view line) {
  if (fence(line)) return;
  if (is_blank(line)) ticks_ = 0;
  for (size_t at = 0; at < line.size();) {
    const std::string_view rest = line.substr(at);
    const size_t ticks = run_of(rest, '`');
    if (ticks > 0) back_ticks(ticks);
    if (rest[0] == '<' && ticks_ == 0) tag(rest.substr(1));
    const bool escapes = rest[0] == '\\' && ticks_ == 0;
    at += ticks > 0 ? ticks : escapes ? 2 : 1;
  }
}

// Whether the line is a fence or stands between two.
bool PlainLines::fence(std::string_view line) {
  const size_t indent = run_of(line, ' ');
  const std::string_view rest = line.substr(indent);
  const char mark = rest.empty() ? '\0' : rest[0];
  const size_t length = mark == '`' || mark == '~' ? run_of(rest, mark) : 0;
  const std::string_view after = rest.substr(length);
  if (fence_ > 0) {
    const bool ends = indent <= 3 && mark == fence_mark_ && length >= fence_ && is_blank(after);
    if (ends) fence_ = 0;
    return true;
  }
  const bool begins =
      indent <= 3 && length >= 3 && !(mark == '`' && after.find('`') != std::string_view::npos);
  if (!begins) return false;
  fence_ = length;
  fence_mark_ = mark;
  ticks_ = 0;
  return true;
}

void PlainLines::back_ticks(size_t length) {
  if (ticks_ == 0) {
    ticks_ = length;
  } else if (ticks_ == length) {
    ticks_ = 0;
  }
}

void PlainLines::tag(std::string_view from) {
  const bool ends = from.starts_with('/');
  const std::string element = lower_name(ends ? from.substr(1) : from);
  if (!quotes(element)) return;
  if (!ends) return open_.push_back(element);
  const auto found = std::find(open_.rbegin(), open_.rend(), element);
  if (found != open_.rend()) open_.erase(std::next(found).base());
}

}  // namespace dsv4::agent::github
