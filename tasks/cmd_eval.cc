#include "tasks/cmd_eval.h"

#include <iostream>

#include "agent/commands.h"
#include "agent/error.h"
#include "agent/printable.h"
#include "agent/stop.h"
#include "tasks/check.h"
#include "tasks/eval_options.h"

namespace dsv4::tasks {
namespace {

using agent::printable_line;

// Longer than any run of a suite.
constexpr std::chrono::hours kForEver(24 * 365);

int list(const Suite& suite) {
  for (const Task& task : suite.tasks) {
    std::cout << printable_line(task.id, 200);
    for (const std::string* about : {&task.grade, &task.language, &task.kind}) {
      std::cout << '\t' << printable_line(about->empty() ? "-" : *about, 60);
    }
    std::cout << '\n';
  }
  return agent::kPassed;
}

int check(const Suite& suite, const EvalOptions& options) {
  const agent::Stop stop(kForEver);
  size_t right = 0;
  const std::vector<TaskCheck> checks = check_suite(
      suite, {options.sandboxed, options.box}, options.jobs, stop.token(),
      [&](const TaskCheck& check) {
        right += check.wrong ? 0 : 1;
        std::cout << (check.wrong ? "WRONG  " : "right  ") << printable_line(check.id, 200);
        if (check.wrong) std::cout << ": " << printable_line(*check.wrong, 400);
        std::cout << std::endl;
      });
  if (stop.interrupted()) return agent::kInterrupted;
  std::cout << right << " of " << checks.size()
            << " tasks are right: their own patch scores 1 and no patch 0\n";
  return right == checks.size() ? agent::kPassed : agent::kGaveUp;
}

}  // namespace

int cmd_eval(const std::vector<std::string>& arguments) {
  const EvalOptions options = parse_eval_arguments(arguments);
  if (options.help) {
    std::cout << eval_help();
    return agent::kPassed;
  }
  Suite suite = load_suite(options.suite, options.reading);
  select(options.filter, options.limit, &suite);
  if (!options.quiet) {
    for (const std::string& note : suite.notes) std::cerr << "note: " << note << '\n';
  }
  if (options.list) return list(suite);
  if (options.check) return check(suite, options);
  throw agent::UsageError("scoring is not part of this version: only --check and --list");
}

}  // namespace dsv4::tasks
