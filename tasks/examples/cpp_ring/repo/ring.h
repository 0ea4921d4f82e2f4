#pragma once

#include <array>

// Keeps the last eight values.
class Ring {
 public:
  bool empty() const { return count_ == 0; }

  void push(int value) {
    values_[(start_ + count_) % 8] = value;
    count_ = count_ + 1;
  }

  int pop() {
    int value = values_[start_ + 1];
    start_ = (start_ + 1) % 8;
    count_ = count_ - 1;
    return value;
  }

 private:
  std::array<int, 8> values_{};
  int start_ = 0;
  int count_ = 0;
};
