#include "tools/highlight.h"

#include <string>

#include "tests/catch.h"

using namespace dsv4::tools;

namespace {

// The tokens of one kind, joined by blanks.
std::string all(Language language, const std::string& source, Token token) {
  std::string out;
  size_t last = 0;
  for (const Coloured& each : highlight(language, source)) {
    REQUIRE(last <= each.begin);
    REQUIRE(each.begin < each.end);
    REQUIRE(each.end <= source.size());
    last = each.end;
    if (each.token != token) continue;
    out += (out.empty() ? "" : " ") + source.substr(each.begin, each.end - each.begin);
  }
  return out;
}

}  // namespace

TEST_CASE("C++ has its colours") {
  const std::string source =
      "#include <vector>\n// a comment\nint Box::area(const Side& s) const {\n"
      "  return s.width() * get<int>(2) + f(\"x\", 'c', nullptr);\n}\n";
  const auto found = [&](Token token) { return all(Language::kCpp, source, token); };
  CHECK(found(Token::kComment) == "// a comment");
  CHECK(found(Token::kString) == "<vector> \"x\" 'c'");
  CHECK(found(Token::kNumber) == "2");
  CHECK(found(Token::kConstant) == "nullptr");
  CHECK(found(Token::kKeyword) == "#include const const return");
  CHECK(found(Token::kType) == "int Side int");
  CHECK(found(Token::kFunction) == "Box::area width get f");
}

TEST_CASE("Python has its colours") {
  const std::string source =
      "@wrap\ndef f(x: int) -> None:\n    '''doc'''\n    return x.go(1.5) if not g(True) else h\n";
  const auto found = [&](Token token) { return all(Language::kPython, source, token); };
  CHECK(found(Token::kKeyword) == "def return if not else");
  CHECK(found(Token::kString) == "'''doc'''");
  CHECK(found(Token::kFunction) == "f go g");
  CHECK(found(Token::kConstant) == "None True");
  CHECK(found(Token::kNumber) == "1.5");
}

TEST_CASE("text that is broken or in no known language has the colours that can be told") {
  CHECK(highlight(Language::kNone, "def f").empty());
  CHECK(highlight(Language::kPython, "").empty());
  CHECK(all(Language::kPython, "def (((\n\xff return", Token::kKeyword).starts_with("def"));
  CHECK(language_named("Python3") == Language::kPython);
  CHECK(language_named("py") == Language::kPython);
  CHECK(language_named("C++") == Language::kCpp);
  CHECK(language_named("cc") == Language::kCpp);
  CHECK(language_named("") == Language::kNone);
  CHECK(language_named("text") == Language::kNone);
}
