#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "agent/test_files.h"
#include "sandbox/sandbox.h"

namespace dsv4::agent {

// Makes the box for a working copy: limits and policy are the run's.
using BoxMaker = std::function<std::unique_ptr<sandbox::Sandbox>(const std::filesystem::path&)>;

struct GateOptions {
  std::filesystem::path base;     // the tree as it was, a private copy that nothing ran in
  std::filesystem::path scratch;  // an empty directory for the gate's own copies
  std::string test_command;
  std::optional<std::string> setup;
  FixedTests fixed{{}};
  sandbox::ProtectedNames protected_names;  // put back as they were, like fixed tests
  // The tests passed before the first turn: the patch must bring a test that fails without it.
  bool passed_before = false;
  BoxMaker make_box;
};

struct GateResult {
  bool passed = false;
  std::string reason;                  // one sentence, either way
  std::string patch;                   // what was tested: without changes to what is fixed
  std::optional<sandbox::Result> run;  // of the last command
};

// Decides whether a patch is a solution; nothing that happened in the attempt counts. The patch is
// applied to a fresh copy of the base, the fixed tests are put back as they were, and the command
// runs there: exit status 0 passes. Fixed are the files the task names, every existing test file,
// the repository's own configuration, protected names, and the absence of files that steer tests.
// Where the tests passed before, test files of the patch stay (unless the task names them), and it
// takes three runs: all of the patch passes, its tests alone fail, and everything but its tests
// passes.
GateResult check_gate(const std::string& patch, const GateOptions& options,
                      std::stop_token cancel = {});

// Whether a patch of a tree whose tests fail leaves this file as it is in `base`, or absent as
// there: tests that are fixed, the repository's own configuration, and files that steer tests.
bool stays_as_it_was(const std::string& path, const std::filesystem::path& base,
                     const FixedTests& fixed);

// Runs a command by sh -c in a working copy, the set-up command first. Throws TestsError when that
// fails.
sandbox::Result run_in(const sandbox::Sandbox& box, const std::optional<std::string>& setup,
                       const std::string& command, std::stop_token cancel);

// The set-up command alone; nothing to do without one.
void run_setup(const sandbox::Sandbox& box, const std::optional<std::string>& setup,
               std::stop_token cancel);

}  // namespace dsv4::agent
