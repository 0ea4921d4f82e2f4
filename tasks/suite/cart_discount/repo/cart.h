#pragma once

#include <cstdint>
#include <string>
#include <vector>

// Amounts are in cents.
struct Line {
  std::string article;
  int64_t price;  // of one piece
  int quantity;
  int discount_percent = 0;

  int64_t total() const { return price * quantity * (100 - discount_percent) / 100; }
};

class Cart {
 public:
  void add(std::string article, int64_t price, int quantity = 1);

  // Applies a discount to every line that has a smaller one; returns how many those were.
  int discount(int percent);

  int64_t total() const;

 private:
  std::vector<Line> lines_;
};
