#include <algorithm>
#include <optional>
#include <set>
#include <vector>

#include "agent/github/markup.h"

namespace dsv4::agent::github {
namespace {

constexpr size_t npos = std::string_view::npos;
constexpr size_t kLongestTail = 4096;  // of a link: address and title

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n'; }

// As labels are compared: small letters, runs of blanks as one.
std::string folded(std::string_view label) {
  std::string out;
  for (const char c : label) {
    if (!is_space(c)) {
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

// The end of "[...]" at the front of the text, brackets inside counted; npos when it does not end
// in its paragraph.
size_t bracket_end(std::string_view text) {
  int depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '[') {
      ++depth;
    } else if (text[i] == ']' && --depth == 0) {
      return i + 1;
    } else if (text[i] == '\n' && i + 1 < text.size() && text[i + 1] == '\n') {
      return npos;
    }
  }
  return npos;
}

size_t skip_space(std::string_view text, size_t at) {
  while (at < text.size() && is_space(text[at])) ++at;
  return at;
}

// The end of an address, from text[at] on: <...>, or no blanks and parentheses in pairs.
size_t address_end(std::string_view text, size_t at) {
  if (at < text.size() && text[at] == '<') {
    const size_t end = text.find_first_of(">\n", at);
    return end != npos && text[end] == '>' ? end + 1 : npos;
  }
  int depth = 0;
  for (; at < text.size() && !is_space(text[at]); ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) {
      ++at;
    } else if (text[at] == '(') {
      ++depth;
    } else if (text[at] == ')' && --depth < 0) {
      break;
    }
  }
  return at;
}

// The end of a title in quotes or parentheses, from text[at] on; npos when there is none.
size_t title_end(std::string_view text, size_t at) {
  if (at >= text.size() || std::string_view("\"'(").find(text[at]) == npos) return npos;
  const char close = text[at] == '(' ? ')' : text[at];
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == close) {
      return i + 1;
    } else if (text[i] == '\n' && i + 1 < text.size() && text[i + 1] == '\n') {
      return npos;
    }
  }
  return npos;
}

// What follows the "]" of a link or an image: "(address)", "(address "title")".
struct Tail {
  size_t end = 0;
  std::string_view address;
  bool title = false;
};

std::optional<Tail> read_tail(std::string_view text) {
  text = text.substr(0, kLongestTail);
  if (text.empty() || text[0] != '(') return std::nullopt;
  Tail tail;
  const size_t begin = skip_space(text, 1);
  const size_t end = address_end(text, begin);
  if (end == npos) return std::nullopt;
  tail.address = text.substr(begin, end - begin);
  size_t at = skip_space(text, end);
  if (at > end || end == begin) {
    const size_t title = title_end(text, at);
    tail.title = title != npos;
    if (tail.title) at = skip_space(text, title);
  }
  if (at >= text.size() || text[at] != ')') return std::nullopt;
  tail.end = at + 1;
  return tail;
}

std::string_view line_at(std::string_view text, size_t at) {
  return text.substr(at, std::min(text.find('\n', at), text.size()) - at);
}

bool blank(std::string_view text) { return text.find_first_not_of(" \t\n") == npos; }

// "[label]: address" at the front of the text, which begins a line, with its title.
struct Definition {
  std::string label;
  size_t end = 0;
};

std::optional<Definition> read_definition(std::string_view text) {
  const size_t open = text.find_first_not_of(" \t>-*+");
  if (open == npos || text[open] != '[') return std::nullopt;
  const size_t close = bracket_end(text.substr(open));
  if (close == npos || open + close >= text.size() || text[open + close] != ':') {
    return std::nullopt;
  }
  Definition found;
  found.label = folded(text.substr(open + 1, close - 2));
  if (found.label.empty() || found.label[0] == '^') return std::nullopt;
  const size_t begin = skip_space(text, open + close + 1);
  const size_t address = address_end(text, begin);
  if (address == npos || address == begin) return std::nullopt;
  found.end = address + line_at(text, address).size();
  const bool alone = blank(text.substr(address, found.end - address));
  const size_t at = skip_space(text, address);
  const size_t title = at > address ? title_end(text, at) : npos;
  if (title != npos && blank(line_at(text, title))) {
    found.end = title + line_at(text, title).size();
  } else if (!alone) {
    return std::nullopt;  // words follow: it is a line as any other
  }
  return found;
}

// The label of a footnote that this line begins.
std::optional<std::string> footnote_label(std::string_view line) {
  const size_t open = line.find_first_not_of(" \t>-*+");
  if (open == npos || line.substr(open, 2) != "[^") return std::nullopt;
  const size_t close = line.find("]:", open);
  if (close == npos) return std::nullopt;
  return std::string(line.substr(open, close - open + 1));
}

size_t count(std::string_view text, std::string_view what) {
  size_t found = 0;
  for (size_t at = text.find(what); at != npos; at = text.find(what, at + what.size())) ++found;
  return found;
}

std::string without_definitions(std::string_view text, std::string_view whole, Removed* removed) {
  std::string out;
  bool in_footnote = false;  // one that nothing refers to, so that no page shows it
  for (size_t at = 0; at < text.size();) {
    const std::string_view line = line_at(text, at);
    const size_t next = std::min(at + line.size() + 1, text.size());
    if (const auto definition = read_definition(text.substr(at))) {
      ++removed->definitions;
      at += definition->end;
      continue;
    }
    if (const auto label = footnote_label(line)) {
      in_footnote = count(whole, *label) == 1;
      removed->definitions += in_footnote ? 1 : 0;
    } else if (blank(line)) {
      // Indented paragraphs go on with it.
      in_footnote = in_footnote && text.substr(next).starts_with("    ");
    }
    if (!in_footnote) out += text.substr(at, next - at);
    at = next;
  }
  return out;
}

}  // namespace

void find_labels(std::string_view text, std::set<std::string>* labels) {
  for (size_t at = 0; at < text.size(); at += line_at(text, at).size() + 1) {
    if (const auto found = read_definition(text.substr(at))) labels->insert(found->label);
  }
}

std::string without_hidden_markdown(std::string_view text, const MarkdownContext& context,
                                    Removed* removed) {
  const std::string rest = without_definitions(text, context.whole, removed);
  text = rest;
  std::string out;
  while (!text.empty()) {
    const size_t next = std::min(std::min(text.find("!["), text.find("](")), text.size());
    out += text.substr(0, next);
    text.remove_prefix(next);
    if (text.empty()) break;
    if (text[0] == ']') {
      const auto tail = read_tail(text.substr(1));
      out += ']';
      text.remove_prefix(1);
      if (!tail || !tail->title) continue;
      out += "(" + std::string(tail->address) + ")";
      text.remove_prefix(tail->end);
      ++removed->titles;
      continue;
    }
    const size_t end = bracket_end(text.substr(1));
    const std::string_view after = end == npos ? std::string_view() : text.substr(1 + end);
    const bool whole = end != npos && (after.starts_with("(") || after.starts_with("[") ||
                                       context.labels.count(folded(text.substr(2, end - 2))) != 0);
    if (!whole) {
      out += "![";
      text.remove_prefix(2);
      continue;
    }
    text.remove_prefix(1 + end);
    if (const auto tail = read_tail(text)) text.remove_prefix(tail->end);
    if (text.starts_with("[")) {
      const size_t reference = bracket_end(text);
      if (reference != npos) text.remove_prefix(reference);
    }
    out += "[image]";
    ++removed->images;
  }
  return out;
}

}  // namespace dsv4::agent::github
