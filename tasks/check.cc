#include "tasks/check.h"

#include <mutex>

#include "agent/working_copy.h"
#include "tasks/parallel.h"
#include "tasks/tree.h"

namespace dsv4::tasks {
namespace {

std::optional<std::string> wrong_with(const Task& task, const GraderOptions& options,
                                      std::stop_token cancel) {
  if (!task.gold && !task.gold_command) return "it has no gold patch";
  const agent::OwnedDirectory scratch(make_scratch("check"), agent::OwnedDirectory::Old::kUse);
  const Grader grader(task, scratch.path(), options, cancel);
  if (auto wrong = grader.wrong_without_patch()) return wrong;
  const Grade gold = grader.grade(grader.gold().value_or(""));
  if (!gold.resolved) return "its own patch scores 0: " + gold.reason;
  return std::nullopt;
}

}  // namespace

std::vector<TaskCheck> check_suite(const Suite& suite, const GraderOptions& options, int jobs,
                                   std::stop_token cancel,
                                   const std::function<void(const TaskCheck&)>& done) {
  std::vector<std::optional<TaskCheck>> checks(suite.tasks.size());
  std::mutex mutex;
  run_parallel(jobs, suite.tasks.size(), cancel, [&](size_t at) {
    TaskCheck check{suite.tasks[at].id, std::nullopt};
    try {
      check.wrong = wrong_with(suite.tasks[at], options, cancel);
    } catch (const sandbox::SetupError&) {
      throw;  // of this machine, not of the task
    } catch (const std::exception& error) {
      check.wrong = error.what();
    }
    if (cancel.stop_requested()) return;
    const std::lock_guard lock(mutex);
    done(check);
    checks[at] = std::move(check);
  });
  std::vector<TaskCheck> out;
  for (auto& check : checks) {
    if (check) out.push_back(*std::move(check));
  }
  return out;
}

}  // namespace dsv4::tasks
