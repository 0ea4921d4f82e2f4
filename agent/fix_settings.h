#pragma once

#include <nlohmann/json.hpp>

#include "agent/fix.h"
#include "agent/saved_run.h"
#include "agent/task.h"

namespace dsv4::agent {

// What a run was asked for, as its first event has it: paths are absolute, and what was found out
// about the task (repository, test command) is in it, so that another process understands it alike.
nlohmann::ordered_json settings_json(const FixOptions& options, const Task& task);

// Back again. The text is not in it. Throws nlohmann::json::exception.
FixOptions options_from(const nlohmann::ordered_json& settings);

// A repository's own limits count where they are lower.
void narrow(const LimitDefaults& own, FixOptions* options);

// The task of a saved run, its issue as it was then, the tree as it is now. Throws UsageError.
Task saved_task(const SavedRun& saved, std::stop_token cancel);

// The numbers of a report between two attempts, for a "progress" event, and back. Throws
// nlohmann::json::exception.
nlohmann::ordered_json progress_json(const FixReport& report);
void take_progress(const nlohmann::ordered_json& json, FixReport* report);

}  // namespace dsv4::agent
