#pragma once

#include <cstdint>

// Holds an amount, in whole units of a currency, between zero and a limit.
class Account {
 public:
  explicit Account(int64_t limit) : limit_(limit) {}

  int64_t balance() const { return balance_; }

  // Takes nothing out when the balance is too low.
  void withdraw(int64_t amount) {
    if (amount <= balance_) balance_ -= amount;
  }

  // Puts nothing in when the limit would be passed.
  void deposit(int64_t amount) {
    if (amount <= limit_ - balance_) balance_ += amount;
  }

 private:
  int64_t limit_;
  int64_t balance_ = 0;
};
