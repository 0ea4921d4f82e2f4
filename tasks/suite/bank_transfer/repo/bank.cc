#include "bank.h"

void Bank::open(const std::string& name, int64_t balance, int64_t limit) {
  if (balance > limit) throw BankError(name + " cannot take " + std::to_string(balance));
  Account account(limit);
  account.deposit(balance);
  if (!accounts_.emplace(name, account).second) throw BankError(name + " is there already");
}

int64_t Bank::balance(const std::string& name) const {
  const auto found = accounts_.find(name);
  if (found == accounts_.end()) throw BankError("no account of " + name);
  return found->second.balance();
}

void Bank::transfer(const std::string& from, const std::string& to, int64_t amount) {
  if (amount <= 0) throw BankError("not an amount: " + std::to_string(amount));
  Account& sender = account(from);
  Account& receiver = account(to);
  sender.withdraw(amount);
  receiver.deposit(amount);
}

int Bank::charge_fees(int64_t fee) {
  int unpaid = 0;
  for (const auto& [name, account] : accounts_) {
    if (name == "bank") continue;
    try {
      transfer(name, "bank", fee);
    } catch (const BankError&) {
      ++unpaid;
    }
  }
  return unpaid;
}

Account& Bank::account(const std::string& name) {
  const auto found = accounts_.find(name);
  if (found == accounts_.end()) throw BankError("no account of " + name);
  return found->second;
}
