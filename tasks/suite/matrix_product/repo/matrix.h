#pragma once

#include <cstddef>
#include <initializer_list>
#include <vector>

// Numbers in rows and columns, stored row after row.
class Matrix {
 public:
  Matrix(size_t rows, size_t columns) : rows_(rows), columns_(columns), values_(rows * columns) {}

  // Row after row. Throws std::invalid_argument when the number of values is another.
  Matrix(size_t rows, size_t columns, std::initializer_list<double> values);

  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }

  // Throws std::out_of_range outside of the matrix.
  double at(size_t row, size_t column) const { return values_[index(row, column)]; }
  double& at(size_t row, size_t column) { return values_[index(row, column)]; }

 private:
  size_t index(size_t row, size_t column) const;

  size_t rows_;
  size_t columns_;
  std::vector<double> values_;
};

// Throws std::invalid_argument unless left has as many columns as right has rows.
Matrix product(const Matrix& left, const Matrix& right);

Matrix transposed(const Matrix& matrix);
