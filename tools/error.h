#pragma once

#include <stdexcept>

namespace dsv4::tools {

// A call that cannot be done: the message is sent to the model and says what to do next.
class ToolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace dsv4::tools
