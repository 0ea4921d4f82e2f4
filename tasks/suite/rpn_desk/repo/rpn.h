#pragma once

#include <stdexcept>
#include <string>
#include <vector>

namespace rpn {

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A stack of numbers. An operator takes its operands from the top and puts its result there; the
// right operand is the topmost.
class Desk {
 public:
  // Takes words with blanks between them: numbers, or the operators + - * / ^ and "swap".
  void enter(const std::string& words);

  // The topmost number.
  double top() const;
  size_t depth() const { return stack_.size(); }

 private:
  void enter_word(const std::string& word);
  double pop();
  static double apply(char op, double left, double right);

  std::vector<double> stack_;
};

// The one result of an expression.
double evaluate(const std::string& words);

}  // namespace rpn
