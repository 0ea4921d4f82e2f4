#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tasks/task.h"

namespace dsv4::tasks {

struct SuiteOptions {
  std::optional<std::filesystem::path> repos;  // SWE-bench: where the clones are
  std::optional<std::filesystem::path> tests;  // SWE-bench: a TOML file, commands by repository
  std::optional<std::string> test;             // SWE-bench, QuixBugs: the command for all
  bool show_tests = false;                     // SWE-bench: the agent's tree has the tests
  bool no_image = false;  // Harbor: run tasks that ask for a container image without it
};

struct Suite {
  std::string name;
  std::string format;  // "dsv4-agent", "SWE-bench", "Harbor", "QuixBugs"
  std::vector<Task> tasks;
  std::vector<std::string> notes;  // what was left out and why, a sentence each
};

// Reads a suite; its format is told by what is there:
//   DIR/NAME/issue.md, or DIR/issue.md                this project's own folders
//   FILE.json, FILE.jsonl                             SWE-bench instances
//   DIR/NAME/task.toml and instruction.md, or in DIR  Harbor, Terminal-Bench 2
//   DIR/python_programs                               QuixBugs
// Throws UsageError that names the file and what is wrong with it.
Suite load_suite(const std::filesystem::path& path, const SuiteOptions& options);

// Keeps the tasks whose id matches the glob (* ? [...]), and of those the first `limit`.
void select(const std::optional<std::string>& glob, std::optional<size_t> limit, Suite* suite);

// A hash over every task, in order.
std::string fingerprint(const Suite& suite);

}  // namespace dsv4::tasks
