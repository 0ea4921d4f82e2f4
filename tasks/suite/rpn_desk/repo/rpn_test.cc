#include "rpn.h"

#include <cstdio>

namespace {

int number = 0;
int failures = 0;

void expect(const char* words, double expected) {
  const double got = rpn::evaluate(words);
  const bool passed = got == expected;
  std::printf("%s %d - %s\n", passed ? "ok" : "not ok", ++number, words);
  if (passed) return;
  std::printf("# got %g, expected %g\n", got, expected);
  ++failures;
}

void expect_error(const char* words) {
  bool passed = false;
  try {
    rpn::evaluate(words);
  } catch (const rpn::Error&) {
    passed = true;
  }
  std::printf("%s %d - %s is refused\n", passed ? "ok" : "not ok", ++number, words);
  if (!passed) ++failures;
}

}  // namespace

int main() {
  expect("1 2 +", 3);
  expect("10 2 -", 8);
  expect("9 2 /", 4.5);
  expect("2 10 swap -", 8);
  expect("5 1 2 + 4 * + 3 -", 14);
  expect("2 10 ^", 1024);
  expect("9 0.5 ^ 1 +", 4);
  expect_error("1 +");
  expect_error("1 0 /");
  expect_error("1 2");
  expect_error("1 two +");
  return failures != 0;
}
