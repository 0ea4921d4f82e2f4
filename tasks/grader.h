#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "agent/working_copy.h"
#include "sandbox/sandbox.h"
#include "tasks/task.h"

namespace dsv4::tasks {

struct GraderOptions {
  bool sandboxed = true;
  sandbox::BackendKind box = sandbox::BackendKind::kAuto;
};

struct Grade {
  bool resolved = false;
  std::string reason;                // one sentence, either way
  std::vector<std::string> failing;  // named tests that should have passed and did not
  std::string output;                // of the tests; empty where they were not run
};

// Decides about patches of one task as its benchmark does, each on a fresh copy of its tree. What
// an agent said about its patch does not count.
class Grader {
 public:
  // scratch: an empty directory for the grader's copies, the caller's. The task must outlive it.
  // Throws what make_tree throws.
  Grader(const Task& task, std::filesystem::path scratch, GraderOptions options,
         std::stop_token cancel);

  // The patch is applied, tests are put back as they were, those the agent did not see are brought
  // in, and the task's command runs. Never throws for what the patch does.
  Grade grade(const std::string& patch) const;

  // What is wrong with the task as it stands: nothing when the tests that have to fail without a
  // repair do, and those that have to pass do.
  std::optional<std::string> wrong_without_patch() const;

  // The task's own solution as a patch; nothing where it has none. Throws std::runtime_error when
  // its command fails.
  std::optional<std::string> gold() const;

 private:
  sandbox::Result run(const std::string& patch) const;
  std::unique_ptr<sandbox::Sandbox> box(const std::filesystem::path& copy) const;

  const Task& task_;
  std::filesystem::path scratch_;
  GraderOptions options_;
  std::stop_token cancel_;
  std::filesystem::path base_;
};

}  // namespace dsv4::tasks
