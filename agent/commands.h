#pragma once

#include <string>
#include <vector>

namespace dsv4::agent {

// Exit codes of the program (README).
enum ExitCode {
  kPassed = 0,
  kGaveUp = 1,
  kUsage = 2,
  kEngine = 3,
  kSandbox = 4,
  kTests = 5,
  kInterrupted = 130,
};

// Runs the program on its arguments (argv[0] left out) and returns its exit code. Never throws.
int run_program(const std::vector<std::string>& arguments);

}  // namespace dsv4::agent
