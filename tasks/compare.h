#pragma once

#include <nlohmann/json.hpp>

#include "tasks/report.h"

namespace dsv4::tasks {

// What differs between a run and another one (input.compared), over the tasks that both have with
// the same ids: the score of both, their difference with a paired bootstrap interval, McNemar's
// test over first samples, and the tasks that differ.
nlohmann::ordered_json compare(const ReportInput& input);

}  // namespace dsv4::tasks
