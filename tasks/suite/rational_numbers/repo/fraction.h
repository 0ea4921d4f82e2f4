#pragma once

#include <cstdint>
#include <string>

// An exact fraction in lowest terms; the denominator is positive.
class Fraction {
 public:
  // Throws std::domain_error when the denominator is zero.
  Fraction(int64_t numerator, int64_t denominator);
  Fraction(int64_t whole) : Fraction(whole, 1) {}  // NOLINT: a whole number is a fraction

  int64_t numerator() const { return numerator_; }
  int64_t denominator() const { return denominator_; }
  std::string text() const;

  friend Fraction operator+(const Fraction& left, const Fraction& right);
  friend Fraction operator-(const Fraction& left, const Fraction& right);
  friend Fraction operator*(const Fraction& left, const Fraction& right);
  friend Fraction operator/(const Fraction& left, const Fraction& right);
  friend bool operator==(const Fraction& left, const Fraction& right);
  friend bool operator<(const Fraction& left, const Fraction& right);

 private:
  int64_t numerator_;
  int64_t denominator_;
};
