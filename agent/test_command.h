#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/sandbox.h"

namespace dsv4::agent {

// The command whose exit status decides, and where it comes from, for people.
struct TestCommand {
  std::string command;  // run by sh -c in the root of the working copy
  std::string source;   // "--test", "the issue", or what was detected: "pytest", "CTest", ...
};

// Looks at the files a repository has: package.json with a test script, Cargo.toml, go.mod,
// CMakeLists.txt, a Makefile with a test or check target, Python tests; the most telling first.
// `paths` are relative to `root` and sorted. Nothing when no rule fits.
std::optional<TestCommand> detect_test_command(const std::filesystem::path& root,
                                               const std::vector<std::string>& paths);

// Whether a run of the command says that there were no tests to fail: its program, pytest, or the
// command's own syntax was missing.
bool cannot_run(const sandbox::Result& result);

}  // namespace dsv4::agent
