#pragma once

#include <filesystem>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "llm/conversation.h"
#include "llm/scripted_conversation.h"

namespace dsv4::tasks {

// One call of the teacher's plan. The values of a call that is not to be learnt (a deliberately
// wrong edit) get no loss.
struct PlannedCall {
  llm::ToolCall call;
  bool learn = true;
};

// A generated task as `python3 -m llm.nano.tasks make` writes it, one JSON object a line.
struct PlannedTask {
  nlohmann::ordered_json json;                  // the whole line
  std::vector<std::vector<PlannedCall>> turns;  // the teacher's calls, turn by turn
};

// Throws std::runtime_error that names the field when the line is not such a task.
PlannedTask parse_task(const std::string& line);

// Writes the task's broken repository and its issue.md into `folder`, which must be inside a git
// work tree; returns the path of issue.md.
std::filesystem::path write_task(const PlannedTask& task, const std::filesystem::path& folder);

// The transcript as the training data format has it: [{"text","markup","loss","role"}].
nlohmann::ordered_json training_segments(std::span<const llm::RecordedSegment> segments,
                                         const PlannedTask& task);

struct RecordOptions {
  std::filesystem::path scratch;  // exists; inside a git work tree
  bool sandboxed = true;
};

// Drives the real `fix` with the plan in place of a model. Returns the line for the training data;
// nothing when the plan did not end in a patch that the gate accepted, with the reason in `why`.
std::optional<nlohmann::ordered_json> record(const PlannedTask& task, const RecordOptions& options,
                                             std::string* why);

}  // namespace dsv4::tasks
