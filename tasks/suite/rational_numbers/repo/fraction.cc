#include "fraction.h"

#include <numeric>
#include <stdexcept>

Fraction::Fraction(int64_t numerator, int64_t denominator) {
  numerator_ = numerator;
  denominator_ = denominator;
  if (numerator != 0) {
    const int64_t divisor = std::gcd(numerator, denominator);
    numerator_ /= divisor;
    denominator_ /= divisor;
  }
}

std::string Fraction::text() const {
  if (denominator_ == 1) return std::to_string(numerator_);
  return std::to_string(numerator_) + "/" + std::to_string(denominator_);
}

Fraction operator+(const Fraction& left, const Fraction& right) {
  return Fraction(left.numerator_ * right.denominator_ + right.numerator_ * left.denominator_,
                  left.denominator_ * right.denominator_);
}

Fraction operator-(const Fraction& left, const Fraction& right) {
  return left + Fraction(-1) * right;
}

Fraction operator*(const Fraction& left, const Fraction& right) {
  return Fraction(left.numerator_ * right.numerator_, left.denominator_ * right.denominator_);
}

Fraction operator/(const Fraction& left, const Fraction& right) {
  return Fraction(left.numerator_ * right.denominator_, left.denominator_ * right.numerator_);
}

bool operator==(const Fraction& left, const Fraction& right) {
  return left.numerator_ == right.numerator_ && left.denominator_ == right.denominator_;
}

bool operator<(const Fraction& left, const Fraction& right) {
  return left.numerator_ * right.denominator_ < right.numerator_ * left.denominator_;
}
