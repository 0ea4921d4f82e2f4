#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::tools {

// The program that ran the tests, as its output tells.
enum class Runner {
  kUnknown,
  kPytest,
  kUnittest,
  kCTest,
  kCatch2,
  kGoogleTest,
  kGo,
  kCargo,
  kNode,
  kMocha,
  kJest,
  kVitest
};

// One of package.json, as npm says that it runs it.
struct Script {
  std::string name;     // "test"
  std::string command;  // "jest"
};

// What a runner's own summary says.
struct TestRun {
  Runner runner = Runner::kUnknown;
  size_t failed = 0;
  std::optional<size_t> passed{};  // not every runner counts them
  std::optional<size_t> skipped{};
  std::vector<std::string> failed_names{};  // where they are needed to run them again
  std::vector<Script> scripts{};

  // "2 failed, 1 passed, 1 skipped"; empty when the runner is not known, or counts otherwise.
  std::string counts() const;
};
TestRun read_test_run(std::string_view output);

// The command that runs only what failed in that run of `command`, when it is so simple that this
// can be known: its last part is the runner's and takes more arguments.
std::optional<std::string> failing_only(const std::string& command, const TestRun& run);

}  // namespace dsv4::tools
