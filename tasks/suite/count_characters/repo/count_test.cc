#include <cstdio>

#include "counts.h"
#include "options.h"
#include "report.h"

namespace {

int number = 0;
int failures = 0;

void expect(const char* name, const std::vector<std::string>& arguments, const char* text,
            const std::string& expected) {
  std::string got;
  try {
    got = report(count(text), parse_options(arguments));
  } catch (const UsageError& error) {
    got = error.what();
  }
  const bool passed = got == expected;
  std::printf("%s %d - %s\n", passed ? "ok" : "not ok", ++number, name);
  if (passed) return;
  std::printf("# got '%s', expected '%s'\n", got.c_str(), expected.c_str());
  ++failures;
}

}  // namespace

int main() {
  expect("no options", {}, "one two\nthree\n", "2 3 14");
  expect("nothing to count", {}, "", "0 0 0");
  expect("lines", {"-l"}, "a\nb\nc", "2");
  expect("words and bytes", {"-cw"}, "  a  bc ", "2 8");
  expect("no options, umlauts", {}, "naïve\n", "1 1 7");
  expect("characters", {"-m"}, "naïve", "5");
  expect("characters of three and four bytes", {"-m"}, "€ 😀", "3");
  expect("characters and bytes", {"-c", "-m"}, "naïve", "5 6");
  expect("columns keep their order", {"-mcwl"}, "naïve ü\n", "1 2 8 10");
  expect("option that is not known", {"-x"}, "", "usage: count [-clmw]");
  expect("not an option", {"file"}, "", "usage: count [-clmw]");
  return failures != 0;
}
