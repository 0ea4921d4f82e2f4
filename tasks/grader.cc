#include "tasks/grader.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "agent/error.h"
#include "agent/gate.h"
#include "agent/patch.h"
#include "agent/printable.h"
#include "agent/repository.h"
#include "agent/test_command.h"
#include "agent/test_files.h"
#include "tasks/test_names.h"
#include "tasks/tree.h"

namespace dsv4::tasks {
namespace {

namespace fs = std::filesystem;

using Names = std::map<std::string, bool, std::less<>>;

bool passed(const Names& names, const std::string& name) {
  const auto found = names.find(name);
  return found != names.end() && found->second;
}

std::vector<std::string> not_passed(const Names& names, const std::vector<std::string>& wanted) {
  std::vector<std::string> out;
  std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(out),
               [&](const std::string& name) { return !passed(names, name); });
  return out;
}

std::string some_of(const std::vector<std::string>& names) {
  std::string text = agent::printable_line(names.front(), 120);
  if (names.size() > 1) text += " and " + std::to_string(names.size() - 1) + " more";
  return text;
}

}  // namespace

Grader::Grader(const Task& task, fs::path scratch, GraderOptions options, std::stop_token cancel)
    : task_(task),
      scratch_(std::move(scratch)),
      options_(options),
      cancel_(std::move(cancel)),
      base_(scratch_ / "base") {
  const agent::OwnedDirectory tree(scratch_ / "tree");
  task_.make_tree(tree.path());
  start_repository(tree.path());
  const agent::Repository repository = agent::named_repository(tree.path());
  agent::make_base(repository, agent::list_tree(repository), base_, {}, {});
}

std::unique_ptr<sandbox::Sandbox> Grader::box(const fs::path& copy) const {
  sandbox::Policy policy = sandbox::task_policy(copy);
  if (task_.timeout) policy.limits.wall_time = *task_.timeout;
  policy.enforce = options_.sandboxed;
  policy.backend = options_.box;
  // Every line of a runner's output may be about a test that counts.
  if (task_.has_named_tests()) policy.limits.kept_output_bytes = 64u << 20;
  return std::make_unique<sandbox::Sandbox>(std::move(policy));
}

sandbox::Result Grader::run(const std::string& patch) const {
  const agent::OwnedDirectory copy(scratch_ / "graded");
  agent::copy_base(base_, copy.path());
  if (!patch.empty()) {
    agent::apply_patch(copy.path(), patch);
    std::vector<std::string> back;
    for (const std::string& path : agent::patch_paths(patch)) {
      const bool stays = agent::stays_as_it_was(path, base_, agent::FixedTests(task_.fixed));
      // Benchmarks with hidden tests put back those alone, below.
      if (!task_.add_tests && stays) back.push_back(path);
    }
    agent::take_files(base_, copy.path(), back);
  }
  if (task_.add_tests) task_.add_tests(copy.path());
  return agent::run_in(*box(copy.path()), task_.setup, task_.test, cancel_);
}

Grade Grader::grade(const std::string& patch) const {
  Grade grade;
  if (patch.find_first_not_of(" \r\n\t") == std::string::npos) {
    grade.reason = "nothing was changed";
    return grade;
  }
  sandbox::Result result;
  try {
    result = run(patch);
  } catch (const sandbox::SetupError&) {
    throw;
  } catch (const std::runtime_error& error) {
    grade.reason = error.what();
    return grade;
  }
  grade.output = result.output;
  if (!task_.has_named_tests()) {
    grade.resolved = result.ok();
    grade.reason = result.ok() ? "the tests pass" : "the tests fail: " + sandbox::describe(result);
    return grade;
  }
  const Names names = read_test_names(result.output);
  grade.failing = not_passed(names, task_.fail_to_pass);
  const std::vector<std::string> broken = not_passed(names, task_.pass_to_pass);
  if (!grade.failing.empty()) {
    grade.reason = "still failing: " + some_of(grade.failing);
  } else if (!broken.empty()) {
    grade.reason = "passed before and fails now: " + some_of(broken);
  } else {
    grade.resolved = true;
    grade.reason = "all named tests pass";
  }
  grade.failing.insert(grade.failing.end(), broken.begin(), broken.end());
  return grade;
}

std::optional<std::string> Grader::wrong_without_patch() const {
  sandbox::Result result;
  try {
    result = run("");
  } catch (const agent::TestsError& error) {
    return error.what();
  }
  if (agent::cannot_run(result)) {
    return "the test command cannot be run (" + sandbox::describe(result) +
           "): " + agent::printable_line(result.output, 200);
  }
  if (!task_.has_named_tests()) {
    if (result.ok()) return "the tests pass without a patch";
    return std::nullopt;
  }
  const Names names = read_test_names(result.output);
  std::vector<std::string> early;
  std::copy_if(task_.fail_to_pass.begin(), task_.fail_to_pass.end(), std::back_inserter(early),
               [&](const std::string& name) { return passed(names, name); });
  if (!early.empty()) return "should fail without a patch and passes: " + some_of(early);
  const std::vector<std::string> broken = not_passed(names, task_.pass_to_pass);
  if (!broken.empty()) return "should pass without a patch and does not: " + some_of(broken);
  return std::nullopt;
}

std::optional<std::string> Grader::gold() const {
  if (!task_.gold_command) return task_.gold;
  const agent::OwnedDirectory copy(scratch_ / "solved");
  agent::copy_base(base_, copy.path());
  copy_tree(task_.gold_folder, copy.path() / kSolutionFolder);
  const sandbox::Result result =
      agent::run_in(*box(copy.path()), task_.setup, *task_.gold_command, cancel_);
  agent::remove_tree(copy.path() / kSolutionFolder);
  if (!result.ok()) {
    throw std::runtime_error("its solution fails (" + sandbox::describe(result) +
                             "): " + agent::printable_line(result.output, 200));
  }
  return agent::make_patch(base_, copy.path());
}

}  // namespace dsv4::tasks
