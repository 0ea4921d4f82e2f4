#include "agent/taken_variable.h"

#include <stdlib.h>

#include <cstring>

namespace dsv4::agent {

std::optional<std::string> take_variable(const std::string& name) {
  char* const value = ::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  std::string copy = value;
  std::memset(value, 0, copy.size());  // /proc/PID/environ shows the memory itself
  ::unsetenv(name.c_str());
  return copy;
}

}  // namespace dsv4::agent
