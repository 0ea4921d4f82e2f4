#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tasks/grader.h"
#include "tasks/suite.h"

namespace dsv4::tasks {

struct TaskCheck {
  std::string id;
  std::optional<std::string> wrong;  // nothing: the gold patch scores 1 and no patch 0
};

// Whether scores on the suite mean anything: for every task its own patch must score 1 and the
// empty patch 0, with the tests run both times. Runs without a model. `done` is told of each as it
// ends, one at a time. After `cancel` what has not ended is missing.
std::vector<TaskCheck> check_suite(const Suite& suite, const GraderOptions& options, int jobs,
                                   std::stop_token cancel,
                                   const std::function<void(const TaskCheck&)>& done);

}  // namespace dsv4::tasks
