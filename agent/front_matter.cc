#include "agent/front_matter.h"

#include <utility>

#include "agent/duration.h"
#include "agent/error.h"
#include "agent/printable.h"

namespace dsv4::agent {
namespace {

struct Entry {
  std::string key;
  std::string value;
  std::vector<std::string> items;  // "- item" lines that followed
};

constexpr std::string_view kBlanks = " \t\r";

std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// The next line without its end; `rest` is moved past it.
std::string_view take_line(std::string_view* rest) {
  const size_t end = rest->find('\n');
  std::string_view line = rest->substr(0, end);
  rest->remove_prefix(end == std::string_view::npos ? rest->size() : end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

// A value in single quotes doubles a quote; in double quotes a backslash takes the next character
// as it is. An unquoted value ends before " #".
std::string unquote(std::string_view value) {
  if (value.size() >= 2 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0]) {
    const char quote = value[0];
    const std::string_view inside = value.substr(1, value.size() - 2);
    std::string out;
    for (size_t i = 0; i < inside.size(); ++i) {
      const bool escape = inside[i] == (quote == '"' ? '\\' : '\'') && i + 1 < inside.size();
      if (escape) ++i;
      out += inside[i];
    }
    return out;
  }
  return std::string(trim(value.substr(0, value.find(" #"))));
}

// "key: value" with a key of letters, digits, "_" and "-".
std::optional<Entry> parse_entry(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos) return std::nullopt;
  for (const char c : line.substr(0, colon)) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-') return std::nullopt;
  }
  if (colon + 1 < line.size() && kBlanks.find(line[colon + 1]) == std::string_view::npos) {
    return std::nullopt;
  }
  return Entry{std::string(line.substr(0, colon)), unquote(trim(line.substr(colon + 1))), {}};
}

// The entries between the two "---" lines, and the text after them; nothing when this is no front
// matter.
std::optional<std::pair<std::vector<Entry>, std::string_view>> read_entries(std::string_view text) {
  if (trim(take_line(&text)) != "---") return std::nullopt;
  std::vector<Entry> entries;
  while (!text.empty()) {
    const std::string_view line = take_line(&text);
    const std::string_view bare = trim(line);
    if (bare == "---" || bare == "...") return std::make_pair(std::move(entries), text);
    if (bare.empty() || bare[0] == '#') continue;
    if (bare.substr(0, 2) == "- " && !entries.empty()) {
      entries.back().items.push_back(unquote(trim(bare.substr(2))));
      continue;
    }
    if (std::optional<Entry> entry = parse_entry(line)) {
      entries.push_back(std::move(*entry));
    } else if (line.empty() || kBlanks.find(line[0]) == std::string_view::npos || entries.empty()) {
      return std::nullopt;  // indented lines belong to a value that is not ours
    }
  }
  return std::nullopt;
}

std::string one_value(const Entry& entry) {
  if (entry.value.empty() || entry.value == "|" || entry.value == ">" || !entry.items.empty()) {
    throw UsageError("the issue's front matter: '" + entry.key +
                     ":' needs its value on the same line");
  }
  if (entry.value.find('\0') != std::string::npos) {
    throw UsageError("the issue's front matter: '" + entry.key + ":' contains a zero byte");
  }
  return entry.value;
}

void apply(const Entry& entry, FrontMatter* front) {
  if (entry.key == "test") {
    front->test = one_value(entry);
  } else if (entry.key == "repo") {
    front->repo = one_value(entry);
  } else if (entry.key == "setup") {
    front->setup = one_value(entry);
  } else if (entry.key == "timeout") {
    front->timeout = parse_duration(one_value(entry));
    if (!front->timeout) {
      throw UsageError("the issue's front matter: 'timeout: " + printable_line(entry.value, 40) +
                       "' is not a duration such as 90s, 10m or 1h");
    }
  } else if (entry.key == "tests") {
    front->tests = entry.items;
    if (!entry.value.empty()) front->tests.push_back(entry.value);
  }
}

}  // namespace

ParsedIssue parse_front_matter(std::string_view text) {
  if (text.substr(0, 3) == "\xef\xbb\xbf") text.remove_prefix(3);  // a byte order mark
  ParsedIssue issue;
  const auto entries = read_entries(text);
  if (!entries) {
    issue.body = text;
    return issue;
  }
  for (const Entry& entry : entries->first) apply(entry, &issue.front);
  issue.body = entries->second;
  return issue;
}

}  // namespace dsv4::agent
