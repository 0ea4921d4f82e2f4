#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/sandbox.h"
#include "tasks/suite.h"

namespace dsv4::tasks {

inline constexpr const char* kThisProgram = "/proc/self/exe";

// The command line of `eval`.
struct EvalOptions {
  std::filesystem::path suite;
  SuiteOptions reading;
  std::optional<std::string> filter;
  std::optional<size_t> limit;
  std::optional<std::filesystem::path> out;      // where results and reports go
  std::optional<std::filesystem::path> compare;  // another such folder
  bool check = false;
  bool list = false;
  bool json = false;
  bool quiet = false;
  bool help = false;

  int jobs = 1;
  std::optional<uint64_t> memory_bytes;                             // of all jobs together
  std::chrono::milliseconds time_limit = std::chrono::minutes(30);  // of one sample's `fix`
  int samples = 1;
  uint64_t seed = 0;
  std::optional<std::string> model;
  std::optional<std::string> endpoint;
  std::filesystem::path agent = kThisProgram;  // the program that is scored
  std::vector<std::string> agent_flags;        // after `--`: handed to its `fix`
  bool sandboxed = true;
  sandbox::BackendKind box = sandbox::BackendKind::kAuto;
};

// Throws UsageError for anything that is not as eval_help() says.
EvalOptions parse_eval_arguments(const std::vector<std::string>& arguments);

std::string eval_help();

}  // namespace dsv4::tasks
