#include "tokens.h"

#include <cstdio>

namespace {

int number = 0;
int failures = 0;

// The tokens in angle brackets, strings in quotes; or what was wrong.
std::string shown(std::string_view text) {
  std::string result;
  try {
    for (const query::Token& token : query::tokenize(text)) {
      const char* quote = token.kind == query::Kind::kString ? "'" : "";
      result += "<" + (quote + token.text) + quote + ">";
    }
  } catch (const query::QueryError& error) {
    result = error.what();
  } catch (const std::out_of_range&) {
    result = "out of range";
  }
  return result;
}

void expect(std::string_view text, const std::string& expected) {
  const std::string got = shown(text);
  const bool passed = got == expected;
  std::printf("%s %d - %s\n", passed ? "ok" : "not ok", ++number, std::string(text).c_str());
  if (passed) return;
  std::printf("# got %s, expected %s\n", got.c_str(), expected.c_str());
  ++failures;
}

}  // namespace

int main() {
  expect("two words", "<two><words>");
  expect("title:\"two words\"", "<title><:><'two words'>");
  expect("-(draft old)", "<-><(><draft><old><)>");
  expect("well-known", "<well-known>");
  expect("\"\"", "<''>");
  expect(R"(a "say \"yes\"" b)", "<a><'say \"yes\"'><b>");
  expect(R"("C:\\temp")", R"(<'C:\temp'>)");
  expect("title:\"open", "unterminated string at 6");
  expect("a \"b\\", "unterminated string at 2");
  expect("\"", "unterminated string at 0");
  return failures != 0;
}
