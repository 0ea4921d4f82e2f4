#include "tools/line_pattern.h"

#include <random>

#include "tests/catch.h"
#include "tools/error.h"

using dsv4::tools::LinePattern;
using dsv4::tools::LiteralFinder;
using dsv4::tools::look_at;

namespace {

std::string found(const LinePattern& pattern, std::string_view text) {
  std::string result;
  LinePattern::Matcher matcher(pattern);
  const auto costly = matcher.find(text, [&](size_t number, std::string_view line) {
    result += std::to_string(number) + ":" + std::string(line) + "\n";
    return true;
  });
  if (costly) result += "costly " + std::to_string(*costly);
  return result;
}

template <size_t Count>
std::string any_of(const char* const (&parts)[Count], std::mt19937& random) {
  return parts[random() % Count];
}

}  // namespace

TEST_CASE("what every match of a pattern holds is known where that is certain") {
  CHECK(look_at("needle").literal == "needle");
  CHECK(look_at("needle").is_literal);
  CHECK(look_at("a\\.b\\(").literal == "a.b(");
  CHECK(look_at("a\\.b\\(").is_literal);
  CHECK(look_at("foo(\\w+)barn").literal == "barn");
  CHECK_FALSE(look_at("foo(\\w+)barn").is_literal);
  CHECK(look_at("colou?r").literal == "colo");
  CHECK(look_at("x\u00e9*yz").literal == "yz");
  CHECK(look_at("ab{2}c").literal == "a");
  CHECK(look_at("(?:abc)?d").literal == "d");
  for (const char* none : {"one|two", "(?i)abc", "a(?i)bc", "\\Qabc\\E", "(*ACCEPT)abc", "(?x)a b",
                           "[abc]", "a*", ""}) {
    INFO(none);
    CHECK(look_at(none).literal.empty());
  }
  for (const char* inside : {"one|two", "[a-z]{5}", "^x.*y$", "(?i)ab\\b", "a(b|c)+\\d\\w"}) {
    INFO(inside);
    CHECK(look_at(inside).in_line);
  }
  for (const char* across : {"a\\sb", "a[^b]c", "x(?!y)", "\\Aa", "a\\z", "a*+b", "\\D", "[\\W]"}) {
    INFO(across);
    CHECK_FALSE(look_at(across).in_line);
  }
}

TEST_CASE("a literal is found wherever it stands") {
  const std::string text = "abcabcabd\nxyz";
  for (size_t begin = 0; begin < text.size(); ++begin) {
    for (size_t length = 1; begin + length <= text.size(); ++length) {
      const std::string literal = text.substr(begin, length);
      for (size_t from = 0; from <= text.size(); ++from) {
        REQUIRE(LiteralFinder(literal).find(text, from) == text.find(literal, from));
      }
    }
  }
  CHECK(LiteralFinder("longer than the text").find("text", 0) == std::string::npos);
}

TEST_CASE("lines are found as if each was matched alone, however they are searched") {
  static constexpr const char* kPieces[] = {
      "a",      "ab",   "abc",    "\\.",   "b?",     "c*",     "a+",          "(a|bc)", "|",
      "^",      "$",    ".",      "[a-c]", "[^a]",   "\\s",    "\\b",         "\\d",    "\\w{2}",
      " ",      "(?i)", "\\D",    "x*+",   "(?!ab)", "(?<=a)", "\\S",         "(?:b|)", "\t",
      "\u00e9", "{2}",  "b{1,2}", "\\z",   "\\n",    "[\\s]",  "[[:^alpha:]]"};
  static constexpr const char* kTexts[] = {"a",    "b",  "c",  "abc", " ",   "\n",  "\r\n",
                                           "\n\n", "\t", "12", "AB",  "\\.", ".",   "\u00e9",
                                           "\xff", "ab", "x",  "\r",  "aab", "bc\n"};
  std::mt19937 random(3);
  int compared = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string pattern;
    for (size_t k = 1 + random() % 5; k-- > 0;) pattern += any_of(kPieces, random);
    std::string text;
    for (size_t k = random() % 30; k-- > 0;) text += any_of(kTexts, random);
    INFO("pattern " << pattern << " text " << text);
    try {
      const LinePattern quick(pattern);
      // Nothing is known of what is inside the second group.
      const LinePattern slow("(?=)(?:" + pattern + ")");
      REQUIRE(found(quick, text) == found(slow, text));
      ++compared;
    } catch (const dsv4::tools::ToolError&) {  // no regular expression
    }
  }
  CHECK(compared > 2000);
}
