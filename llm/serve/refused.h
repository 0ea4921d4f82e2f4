#pragma once

#include <string>

#include "llm/error.h"

namespace dsv4::llm::serve {

// A request that is answered with an error, in the words and with the fields that clients of
// OpenAI's API know. The message says what is wrong and what would be right.
class Refused : public Error {
 public:
  explicit Refused(const std::string& message, std::string param = "", std::string code = "",
                   int status = 400)
      : Error(message), param_(std::move(param)), code_(std::move(code)), status_(status) {}

  const std::string& param() const { return param_; }  // the field that is meant; may be empty
  const std::string& code() const { return code_; }    // for programs; may be empty
  int status() const { return status_; }               // of HTTP

 private:
  std::string param_, code_;
  int status_;
};

}  // namespace dsv4::llm::serve
