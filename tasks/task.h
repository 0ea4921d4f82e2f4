#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace dsv4::tasks {

inline constexpr const char* kSolutionFolder = ".solution";

// One task of a suite, whatever format it came from.
struct Task {
  std::string id;     // unique in its suite
  std::string issue;  // Markdown, without front matter

  // Writes the broken tree into an empty directory, without .git. Throws when it cannot.
  std::function<void(const std::filesystem::path& tree)> make_tree;

  std::string test;                                  // the command that decides, for sh -c
  std::optional<std::string> setup;                  // once in every fresh copy, before the tests
  std::optional<std::chrono::milliseconds> timeout;  // of one run of the tests
  std::vector<std::string> fixed;  // tests named by the task; put back before it is graded

  // Brings the tests that the agent does not see into a tree, over what is there. Empty where the
  // tree has its tests.
  std::function<void(const std::filesystem::path& tree)> add_tests;
  std::string test_for_agent;  // what `fix` is given where that is not `test`; may be empty

  // Named tests decide where there are any: all of both have to pass with the patch, and without it
  // those of the first fail and those of the second pass. Else the exit status of `test` decides.
  std::vector<std::string> fail_to_pass;
  std::vector<std::string> pass_to_pass;

  // A patch that is right; or a command that makes the tree right, and what it needs beside it.
  std::optional<std::string> gold;
  std::optional<std::string> gold_command;
  std::filesystem::path gold_folder;  // copied into the tree as kSolutionFolder meanwhile

  std::string grade;     // "one-line", "one-function", "several-files"; empty where not known
  std::string language;  // "python", ...; empty where not known
  std::string kind;      // what is wrong, in the suite's own words; may be empty

  std::string identity;  // a hash of all that the task is made of

  bool has_named_tests() const { return !fail_to_pass.empty() || !pass_to_pass.empty(); }
};

}  // namespace dsv4::tasks
