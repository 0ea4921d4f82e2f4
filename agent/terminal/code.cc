#include "agent/terminal/code.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "tools/highlight.h"

namespace dsv4::agent::terminal {
namespace {

Style style_of(tools::Token token) {
  switch (token) {
    case tools::Token::kComment:
      return Style::kComment;
    case tools::Token::kString:
      return Style::kString;
    case tools::Token::kNumber:
      return Style::kNumber;
    case tools::Token::kKeyword:
      return Style::kKeyword;
    case tools::Token::kType:
      return Style::kType;
    case tools::Token::kFunction:
      return Style::kFunction;
    case tools::Token::kConstant:
      return Style::kConstant;
  }
  return Style::kPlain;
}

Style style_of_patch_line(std::string_view line) {
  if (line.starts_with("+++") || line.starts_with("---") || line.starts_with("diff ")) {
    return Style::kStrong;
  }
  if (line.starts_with("+")) return Style::kGood;
  if (line.starts_with("-")) return Style::kBad;
  if (line.starts_with("@@")) return Style::kFunction;
  const bool context = line.starts_with(" ") || line.empty();
  return context ? Style::kPlain : Style::kDim;
}

// What ends the comment or text over several lines that a source which is still being written is
// in; empty where it is in none. A parser takes what has not ended for something else.
std::string_view missing_end(tools::Language language, std::string_view source) {
  struct Pair {
    std::string_view begin;
    std::string_view end;
  };
  static constexpr std::array<Pair, 5> kPython = {
      {{"\"\"\"", "\"\"\""}, {"'''", "'''"}, {"#", "\n"}, {"\"", "\""}, {"'", "'"}}};
  static constexpr std::array<Pair, 4> kCpp = {
      {{"/*", "*/"}, {"//", "\n"}, {"\"", "\""}, {"'", "'"}}};
  const bool python = language == tools::Language::kPython;
  const std::span<const Pair> pairs = python ? std::span<const Pair>(kPython) : kCpp;
  for (size_t at = 0; at < source.size(); ++at) {
    const auto pair = std::find_if(pairs.begin(), pairs.end(), [&](const Pair& each) {
      return source.substr(at).starts_with(each.begin);
    });
    if (pair == pairs.end()) continue;
    const bool short_text = pair->end == "\"" || pair->end == "'";
    at += pair->begin.size();
    for (; at < source.size() && !source.substr(at).starts_with(pair->end); ++at) {
      if (source[at] == '\\') ++at;
      if (short_text && at < source.size() && source[at] == '\n') break;  // it was none
    }
    if (at >= source.size()) return short_text ? "" : pair->end;
    at += short_text ? 0 : pair->end.size() - 1;
  }
  return "";
}

}  // namespace

Lines code_lines(tools::Language language, std::string_view source, size_t from) {
  std::vector<tools::Coloured> tokens;
  if (source.size() <= kMostColoured && language != tools::Language::kNone) {
    tokens = tools::highlight(language, std::string(source).append(missing_end(language, source)));
  }
  Lines lines;
  auto token = tokens.begin();
  size_t at = 0;
  for (size_t number = 0; at < source.size(); ++number) {
    const size_t newline = std::min(source.find('\n', at), source.size());
    Line line;
    while (at < newline) {
      while (token != tokens.end() && token->end <= at) ++token;
      const bool inside = token != tokens.end() && token->begin <= at;
      size_t end = newline;
      if (token != tokens.end()) end = std::min(end, inside ? token->end : token->begin);
      line.add(source.substr(at, end - at), inside ? style_of(token->token) : Style::kPlain);
      at = end;
    }
    at = newline + 1;
    if (number >= from) lines.push_back(std::move(line));
  }
  return lines;
}

Lines patch_lines(std::string_view patch) {
  Lines lines;
  while (!patch.empty()) {
    const size_t newline = std::min(patch.find('\n'), patch.size());
    const std::string_view line = patch.substr(0, newline);
    lines.emplace_back(line, style_of_patch_line(line));
    patch.remove_prefix(std::min(newline + 1, patch.size()));
  }
  return lines;
}

}  // namespace dsv4::agent::terminal
