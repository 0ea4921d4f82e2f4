#include "bank.h"

#include <cstdio>
#include <type_traits>

namespace {

int number = 0;
int failures = 0;

void check(const char* name, bool passed) {
  std::printf("%s %d - %s\n", passed ? "ok" : "not ok", ++number, name);
  if (!passed) ++failures;
}

Bank make_bank() {
  Bank bank;
  bank.open("alice", 50);
  bank.open("bob", 0, 70);
  bank.open("bank", 0);
  return bank;
}

// What the transfer threw; empty when it went through.
std::string refusal(Bank& bank, const char* from, const char* to, int64_t amount) {
  try {
    bank.transfer(from, to, amount);
  } catch (const BankError& error) {
    return error.what();
  }
  return "";
}

bool has(const Bank& bank, int64_t alice, int64_t bob) {
  return bank.balance("alice") == alice && bank.balance("bob") == bob;
}

void test_transfers() {
  Bank bank = make_bank();
  check("a transfer goes through", refusal(bank, "alice", "bob", 30).empty());
  check("and moves the amount", has(bank, 20, 30));
  check("all there is can be sent", refusal(bank, "alice", "bob", 20).empty() && has(bank, 0, 50));
  check("no such account", refusal(bank, "bob", "carol", 1) == "no account of carol");
  check("nothing is no amount", refusal(bank, "bob", "alice", 0) == "not an amount: 0");
}

void test_refusals() {
  Bank bank = make_bank();
  check("the sender cannot pay", refusal(bank, "alice", "bob", 60) == "alice cannot pay 60");
  check("so nobody gets anything", has(bank, 50, 0));
  bank.open("carol", 500);
  check("the receiver cannot take it", refusal(bank, "carol", "bob", 80) == "bob cannot take 80");
  check("so the sender keeps it", bank.balance("carol") == 500 && has(bank, 50, 0));
}

void test_fees() {
  Bank bank = make_bank();
  check("those who cannot pay are counted", bank.charge_fees(5) == 1);
  check("the others pay", has(bank, 45, 0) && bank.balance("bank") == 5);
}

}  // namespace

int main() {
  using Result = decltype(std::declval<Account&>().withdraw(1));
  check("withdraw says whether the money was there", std::is_same_v<Result, bool>);
  test_transfers();
  test_refusals();
  test_fees();
  return failures != 0;
}
