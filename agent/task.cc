#include "agent/task.h"

#include <algorithm>
#include <system_error>
#include <vector>

#include "agent/error.h"

namespace dsv4::agent {
namespace {

TestCommand choose_test(const TaskOptions& options, const Task& task) {
  if (options.test) {
    if (options.test->find_first_not_of(" \t\n") == std::string::npos) {
      throw UsageError("--test is empty: give the command that runs the tests");
    }
    return {*options.test, "--test"};
  }
  if (task.issue.front.test) return {*task.issue.front.test, "the issue"};
  if (task.config.test) return {*task.config.test, kRepositoryConfig};
  std::vector<std::string> paths;
  paths.reserve(task.listing.entries.size());
  for (const TreeEntry& entry : task.listing.entries) paths.push_back(entry.path);
  if (auto found = detect_test_command(task.repository.root, paths)) return *found;
  throw UsageError(
      "no test command was found in the repository: name one with --test, or with a line `test: "
      "COMMAND` between two lines --- at the top of the issue");
}

}  // namespace

Task load_task(const TaskOptions& options, std::istream& standard_input, std::stop_token cancel) {
  Task task;
  task.issue = options.read ? *options.read : load_issue(options.issue, standard_input, cancel);
  if (cancel.stop_requested()) return task;
  if (options.repo) {
    task.repository = named_repository(*options.repo);
  } else if (task.issue.front.repo) {
    task.repository = named_repository(task.issue.directory / *task.issue.front.repo);
  } else {
    std::error_code gone;
    const std::filesystem::path here = std::filesystem::current_path(gone);
    if (gone) {
      throw UsageError("the folder around you is gone: name the repository with --repo");
    }
    task.repository = enclosing_repository(here);
  }
  task.config = read_repository_config(task.repository.root);
  task.listing = list_tree(task.repository, cancel);
  task.test = choose_test(options, task);
  if (task.config.timeout) task.test_timeout = std::min(task.test_timeout, *task.config.timeout);
  if (task.issue.front.timeout) task.test_timeout = *task.issue.front.timeout;
  return task;
}

}  // namespace dsv4::agent
