#pragma once

#include <filesystem>
#include <map>
#include <stop_token>
#include <string>

#include "tasks/eval_options.h"
#include "tasks/live_table.h"
#include "tasks/results.h"
#include "tasks/suite.h"

namespace dsv4::tasks {

// What a run of the suite is: a folder of results belongs to one such, whatever its jobs.
std::map<std::string, std::string> identity_of(const Suite& suite, const EvalOptions& options);

// The folder, below that of all results, of one run: names of tasks as file names can be.
std::string directory_of(const std::string& task, int sample);

// Runs every sample of every task that has no verdict yet: the program's own `fix` in a process of
// its own, then the grader, then a row of the results. What a process that was killed has left of a
// run is gone on with. Returns when all have ended, or early after `cancel`. Throws what `fix`
// says where the first run shows that none can work: no model, no sandbox, flags it does not know.
void run_suite(const Suite& suite, const EvalOptions& options, Results& results, LiveTable& table,
               std::stop_token cancel);

}  // namespace dsv4::tasks
