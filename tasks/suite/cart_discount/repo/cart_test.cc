#include "cart.h"

#include <cstdio>

namespace {

int number = 0;
int failures = 0;

void expect(const char* name, int64_t got, int64_t expected) {
  const bool passed = got == expected;
  std::printf("%s %d - %s\n", passed ? "ok" : "not ok", ++number, name);
  if (passed) return;
  std::printf("# got %lld, expected %lld\n", static_cast<long long>(got),
              static_cast<long long>(expected));
  ++failures;
}

Cart two_lines() {
  Cart cart;
  cart.add("book", 2000);
  cart.add("pen", 150, 2);
  return cart;
}

}  // namespace

int main() {
  expect("empty", Cart().total(), 0);
  expect("sum of the lines", two_lines().total(), 2300);

  Cart twice = two_lines();
  twice.add("book", 2000);
  expect("same article again", twice.total(), 4300);

  Cart cart = two_lines();
  expect("lines with a discount", cart.discount(10), 2);
  expect("total with a discount", cart.total(), 2070);
  expect("smaller discount changes nothing", cart.discount(5), 0);
  expect("larger discount replaces", cart.discount(50), 2);
  expect("total with the larger discount", cart.total(), 1150);
  return failures != 0;
}
