#include "print_queue.h"

#include <cstdio>

namespace {

int number = 0;
int failures = 0;

std::string drained(PrintQueue queue) {
  std::string documents;
  while (const auto document = queue.next()) documents += *document;
  return documents;
}

void expect(const char* name, const std::string& got, const std::string& expected) {
  const bool passed = got == expected;
  std::printf("%s %d - %s\n", passed ? "ok" : "not ok", ++number, name);
  if (passed) return;
  std::printf("# got \"%s\", expected \"%s\"\n", got.c_str(), expected.c_str());
  ++failures;
}

}  // namespace

int main() {
  expect("nothing waits", drained(PrintQueue()), "");

  PrintQueue by_priority;
  by_priority.add("low", 1);
  by_priority.add("high", 9);
  by_priority.add("middle", 5);
  expect("highest priority first", drained(by_priority), "highmiddlelow");

  PrintQueue equals;
  for (const char* document : {"a", "b", "c", "d"}) equals.add(document, 1);
  expect("equals in the order they came", drained(equals), "abcd");

  PrintQueue mixed;
  mixed.add("a", 1);
  mixed.add("X", 2);
  mixed.add("b", 1);
  mixed.add("Y", 2);
  expect("mixed priorities", drained(mixed), "XYab");
  expect("jobs that wait", std::to_string(mixed.waiting()), "4");
  return failures != 0;
}
