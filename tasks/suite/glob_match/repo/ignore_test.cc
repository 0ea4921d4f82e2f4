#include "ignore.h"

#include <cstdio>

namespace {

int number = 0;
int failures = 0;

void expect(const std::string& pattern, const std::string& name, bool expected) {
  const bool passed = glob_match(pattern, name) == expected;
  std::printf("%s %d - '%.20s' %s '%.20s'\n", passed ? "ok" : "not ok", ++number, pattern.c_str(),
              expected ? "matches" : "does not match", name.c_str());
  if (!passed) ++failures;
}

}  // namespace

int main() {
  expect("notes.txt", "notes.txt", true);
  expect("notes.txt", "notes.txt~", false);
  expect("notes?", "notes", false);
  expect("n?tes", "nutes", true);
  expect("*", "", true);
  expect("*.gz", "notes.gz", true);
  expect("*.gz", "notes.txt", false);
  expect("build*", "build", true);
  expect("*.tar.gz", "linux-6.1.tar.gz", true);
  expect("*ab", "aab", true);
  expect("a*b*c", "abxbc", true);
  expect("a*b*c", "abxbcd", false);
  expect("*?.o", "main.o", true);
  expect("**.h", "glob.h", true);
  expect("*a*a*a*a*a*a*a*a*a*b", std::string(2000, 'a'), false);

  const IgnoreRules rules({"*.log", "!important.log", "*.tar.*"});
  const bool passed = rules.ignored("a.log") && !rules.ignored("important.log") &&
                      rules.ignored("v1.tar.tar.gz") && !rules.ignored("main.cc");
  std::printf("%s %d - the last rule decides\n", passed ? "ok" : "not ok", ++number);
  return failures != 0 || !passed;
}
