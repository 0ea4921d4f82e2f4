#pragma once

#include <chrono>
#include <iosfwd>
#include <optional>
#include <string>

#include "agent/config_file.h"
#include "agent/issue.h"
#include "agent/repository.h"
#include "agent/test_command.h"

namespace dsv4::agent {

// A task as it will be worked on: the issue, the tree it is about, and the command that decides.
struct Task {
  Issue issue;
  Repository repository;
  Listing listing;
  RepositoryConfig config;
  TestCommand test;
  std::chrono::milliseconds test_timeout = std::chrono::minutes(10);
};

struct TaskOptions {
  std::string issue;  // a file, or "-"
  std::optional<std::string>
      repo;                   // --repo, before the issue's `repo:`, before the current directory's
  std::optional<Issue> read;  // instead of `issue`: what was read already
  // --test, before the issue's `test:`, before the repository's own, before what is detected
  std::optional<std::string> test;
};

// Reads all that; nothing is written. Throws UsageError.
Task load_task(const TaskOptions& options, std::istream& standard_input, std::stop_token cancel);

}  // namespace dsv4::agent
