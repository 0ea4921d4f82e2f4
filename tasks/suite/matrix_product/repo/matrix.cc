#include "matrix.h"

#include <stdexcept>

Matrix::Matrix(size_t rows, size_t columns, std::initializer_list<double> values)
    : rows_(rows), columns_(columns), values_(values) {
  if (values_.size() != rows * columns) throw std::invalid_argument("wrong number of values");
}

size_t Matrix::index(size_t row, size_t column) const {
  if (row >= rows_ || column >= columns_) throw std::out_of_range("outside of the matrix");
  return row * columns_ + column;
}

Matrix product(const Matrix& left, const Matrix& right) {
  if (left.columns() != right.rows()) throw std::invalid_argument("these cannot be multiplied");
  Matrix result(left.rows(), right.columns());
  for (size_t row = 0; row < result.rows(); ++row) {
    for (size_t column = 0; column < result.columns(); ++column) {
      for (size_t i = 0; i < left.rows(); ++i) {
        result.at(row, column) += left.at(row, i) * right.at(i, column);
      }
    }
  }
  return result;
}

Matrix transposed(const Matrix& matrix) {
  Matrix result(matrix.columns(), matrix.rows());
  for (size_t row = 0; row < matrix.rows(); ++row) {
    for (size_t column = 0; column < matrix.columns(); ++column) {
      result.at(column, row) = matrix.at(row, column);
    }
  }
  return result;
}
