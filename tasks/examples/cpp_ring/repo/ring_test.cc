#include <cstdio>

#include "ring.h"

static int failures = 0;

static void check(const char* what, int got, int expected) {
  if (got == expected) return;
  std::printf("FAIL %s: expected %d, got %d\n", what, expected, got);
  failures = failures + 1;
}

int main() {
  Ring ring;
  ring.push(1);
  ring.push(2);
  ring.push(3);
  check("ring.pop()", ring.pop(), 1);
  check("ring.pop()", ring.pop(), 2);
  check("ring.pop()", ring.pop(), 3);
  check("ring.empty()", ring.empty(), 1);
  return failures != 0;
}
