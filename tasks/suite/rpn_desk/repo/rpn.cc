#include "rpn.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace rpn {

void Desk::enter(const std::string& words) {
  size_t begin = 0;
  while ((begin = words.find_first_not_of(' ', begin)) != std::string::npos) {
    const size_t end = std::min(words.find(' ', begin), words.size());
    enter_word(words.substr(begin, end - begin));
    begin = end;
  }
}

double Desk::top() const {
  if (stack_.empty()) throw Error("the stack is empty");
  return stack_.back();
}

void Desk::enter_word(const std::string& word) {
  if (word == "swap" ||
      (word.size() == 1 && std::string("+-*/^").find(word) != std::string::npos)) {
    const double right = pop();
    const double left = pop();
    if (word == "swap") {
      stack_.insert(stack_.end(), {right, left});
    } else {
      stack_.push_back(apply(word[0], left, right));
    }
    return;
  }
  char* end = nullptr;
  const double value = std::strtod(word.c_str(), &end);
  if (*end != '\0') throw Error("neither a number nor an operator: " + word);
  stack_.push_back(value);
}

double Desk::pop() {
  const double value = top();
  stack_.pop_back();
  return value;
}

double Desk::apply(char op, double left, double right) {
  switch (op) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      if (right == 0) throw Error("division by zero");
      return left / right;
    default:
      return std::pow(right, left);
  }
}

double evaluate(const std::string& words) {
  Desk desk;
  desk.enter(words);
  if (desk.depth() != 1) throw Error("not one result but " + std::to_string(desk.depth()));
  return desk.top();
}

}  // namespace rpn
