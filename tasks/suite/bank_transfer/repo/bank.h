#pragma once

#include <map>
#include <stdexcept>
#include <string>

#include "account.h"

class BankError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Bank {
 public:
  // Throws BankError when there is an account of that name or the limit is too low for the balance.
  void open(const std::string& name, int64_t balance, int64_t limit = 1000000);

  int64_t balance(const std::string& name) const;

  // Moves the amount, or throws BankError and changes nothing.
  void transfer(const std::string& from, const std::string& to, int64_t amount);

  // Takes a fee from every account but "bank", which gets it. Returns how many could not pay.
  int charge_fees(int64_t fee);

 private:
  Account& account(const std::string& name);

  std::map<std::string, Account> accounts_;
};
