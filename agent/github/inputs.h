#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/github/environment.h"

namespace dsv4::agent::github {

// What the action is asked for. The action hands each input over in a variable: INPUT_ and the
// input's name in capitals, "_" for "-".
struct Inputs {
  std::optional<int64_t> issue;  // of a manual run; else the event's
  std::string repo;              // directory in the checkout; empty: all of it
  std::string label;             // that starts a run
  std::string phrase;            // that starts a run, at the beginning of a comment's line
  std::vector<std::string> allowed_actors;  // empty: whoever has write access and is no bot
  std::vector<std::string> labels;          // put on the pull request
  std::optional<std::string> base_branch;   // else the event's
  std::string branch_prefix;
  std::string out;  // where the results are put, and taken from
  bool progress = true;
  std::optional<std::string> setup;
  std::vector<std::string> fix_flags;  // "--attempts=4" and so on: those of `fix`
};

struct InputRow {
  std::string_view name;
  std::string_view fallback;  // where it is left out
  std::string_view meaning;
};

// Every input that the program reads, in the order of the documentation.
std::span<const InputRow> input_table();

// Throws UsageError for what does not make sense. The values of limits are checked by `fix`.
Inputs read_inputs(const Environment& environment);

// INPUT_TIME_LIMIT for "time-limit".
std::string input_variable(std::string_view name);

// A name that git and GitHub take for a branch.
bool is_branch_name(const std::string& name);

}  // namespace dsv4::agent::github
