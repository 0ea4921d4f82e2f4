#include "matrix.h"

#include <cstdio>
#include <stdexcept>

namespace {

int number = 0;
int failures = 0;

void check(const char* name, bool passed) {
  std::printf("%s %d - %s\n", passed ? "ok" : "not ok", ++number, name);
  if (!passed) ++failures;
}

bool equal(const Matrix& left, const Matrix& right) {
  if (left.rows() != right.rows() || left.columns() != right.columns()) return false;
  for (size_t row = 0; row < left.rows(); ++row) {
    for (size_t column = 0; column < left.columns(); ++column) {
      if (left.at(row, column) != right.at(row, column)) return false;
    }
  }
  return true;
}

bool gives(const Matrix& left, const Matrix& right, const Matrix& expected) {
  try {
    return equal(product(left, right), expected);
  } catch (const std::out_of_range&) {
    return false;
  }
}

bool refuses(const Matrix& left, const Matrix& right) {
  try {
    product(left, right);
  } catch (const std::invalid_argument&) {
    return true;
  }
  return false;
}

}  // namespace

int main() {
  const Matrix square(2, 2, {1, 2, 3, 4});
  const Matrix wide(2, 3, {1, 2, 3, 4, 5, 6});
  const Matrix tall(3, 2, {7, 8, 9, 10, 11, 12});
  check("square matrices", gives(square, square, Matrix(2, 2, {7, 10, 15, 22})));
  check("entries of a wide matrix", wide.at(1, 0) == 4 && wide.at(1, 2) == 6);
  check("wide times tall", gives(wide, tall, Matrix(2, 2, {58, 64, 139, 154})));
  check("tall times wide", gives(tall, wide, Matrix(3, 3, {39, 54, 69, 49, 68, 87, 59, 82, 105})));
  check("transposed", equal(transposed(wide), Matrix(3, 2, {1, 4, 2, 5, 3, 6})));
  check("sizes that do not fit", refuses(wide, square));
  return failures != 0;
}
