#include "preview.h"

#include <cstdio>
#include <stdexcept>

namespace {

int number = 0;
int failures = 0;

void expect(const char* name, std::string_view text, size_t limit, const std::string& expected) {
  std::string got;
  try {
    got = preview(text, limit);
  } catch (const std::out_of_range& error) {
    got = error.what();
  }
  const bool passed = got == expected;
  std::printf("%s %d - %s\n", passed ? "ok" : "not ok", ++number, name);
  if (passed) return;
  std::printf("# got '%s', expected '%s'\n", got.c_str(), expected.c_str());
  ++failures;
}

void check(const char* name, bool passed) {
  std::printf("%s %d - %s\n", passed ? "ok" : "not ok", ++number, name);
  if (!passed) ++failures;
}

}  // namespace

int main() {
  expect("it fits", "hello", 5, "hello");
  expect("shortened", "hello world", 8, "hello...");
  expect("room for the dots alone", "hello", 3, "...");
  expect("no room for the dots", "hello", 2, "");
  expect("two bytes do not fit", "héllo", 5, "h...");
  expect("two bytes fit", "héllo", 6, "héllo");
  expect("ends behind a whole character", "hélloo", 6, "hé...");
  expect("three bytes", "日本語です", 8, "日...");
  expect("four bytes", "😀😀😀", 10, "😀...");
  expect("no character fits", "😀😀", 6, "...");
  check("characters are counted", characters("日本é!") == 4);
  check("headline", headline("\n\nfirst line\r\nsecond", 20) == "first line");
  return failures != 0;
}
