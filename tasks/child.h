#pragma once

#include <chrono>
#include <filesystem>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace dsv4::tasks {

// A program that is run to its end in a process group of its own. It dies with this program, too.
struct ChildOptions {
  std::vector<std::string> argv;  // argv[0] is a path, or found on PATH
  std::vector<std::pair<std::string, std::string>> environment;  // beside this program's own
  std::filesystem::path log;                                     // its stderr is added there
  std::chrono::milliseconds limit{0};                            // then it is killed
};

enum class ChildEnd { kExited, kSignalled, kTimedOut, kCancelled, kKilled };

struct ChildResult {
  ChildEnd end = ChildEnd::kExited;
  int status = 0;      // exit status, or the signal's number
  std::string output;  // stdout, at most kLongestOutput of it
};

inline constexpr size_t kLongestOutput = 4u << 20;

// `cancel` asks it to end (SIGINT) and kills it when it has not after some time; `kill` kills it at
// once. Throws std::runtime_error when it cannot be started.
ChildResult run_child(const ChildOptions& options, std::stop_token cancel, std::stop_token kill);

}  // namespace dsv4::tasks
