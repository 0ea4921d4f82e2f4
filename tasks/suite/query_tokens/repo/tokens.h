#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace query {

class QueryError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class Kind { kWord, kString, kColon, kOpen, kClose, kNot };

struct Token {
  Kind kind;
  std::string text;  // of a word or a string, without its quotes
};

// The tokens of a search such as: title:"two words" -(draft old)
std::vector<Token> tokenize(std::string_view query);

}  // namespace query
