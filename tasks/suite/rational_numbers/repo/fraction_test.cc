#include "fraction.h"

#include <cstdio>
#include <stdexcept>

namespace {

int number = 0;
int failures = 0;

void check(const char* name, bool passed) {
  std::printf("%s %d - %s\n", passed ? "ok" : "not ok", ++number, name);
  if (!passed) ++failures;
}

void expect(const char* name, const Fraction& got, const char* expected) {
  check(name, got.text() == expected);
  if (got.text() != expected) std::printf("# got %s, expected %s\n", got.text().c_str(), expected);
}

template <typename Test>
bool refused(Test test) {
  try {
    test();
  } catch (const std::domain_error&) {
    return true;
  }
  return false;
}

}  // namespace

int main() {
  const Fraction half(1, 2);
  const Fraction third(1, 3);
  expect("lowest terms", Fraction(6, 8), "3/4");
  expect("sum", half + third, "5/6");
  expect("difference", third - half, "-1/6");
  expect("product", half * third, "1/6");
  expect("quotient", half / third, "3/2");
  check("order", third < half && !(half < third));
  expect("negative denominator", Fraction(1, -2), "-1/2");
  check("two negative signs", Fraction(-1, -2) == half);
  check("order of negative ones", Fraction(1, -2) < third && Fraction(-3, 4) < Fraction(1, -2));
  expect("divided by a negative one", half / Fraction(-1, 3), "-3/2");
  expect("zero", Fraction(0, 5), "0");
  check("zero is zero", Fraction(0, -7) == Fraction(0) && half - half == Fraction(0, 3));
  check("zero denominator", refused([] { Fraction(2, 0); }));
  check("division by zero", refused([&] { half / Fraction(0); }));
  return failures != 0;
}
