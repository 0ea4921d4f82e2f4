#include "agent/commands.h"

#include <iostream>

namespace dsv4::agent {

int run_program(const std::vector<std::string>& arguments) {
  const std::string name = arguments.empty() ? "interactive" : arguments[0];
  std::cerr << "dsv4-agent: there is no command '" << name << "' in this version\n";
  return kUsage;
}

}  // namespace dsv4::agent
