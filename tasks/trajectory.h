#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace dsv4::tasks {

// The attempts of one run of `fix`, each as a trajectory in Harbor's Agent Trajectory Interchange
// Format, version 1.7 (harborframework.com/docs/trajectory-format): schema_version, session_id (the
// run's), trajectory_id, agent {name, version, model_name, extra}, steps, final_metrics, extra.
//
//   user steps     the repository, the issue, corrections of a turn that could not be read
//   agent steps    message, reasoning_content, tool_calls with their observation, metrics
//                  (prompt_tokens, completion_tokens), llm_call_count; a turn that was taken back
//                  says so in extra.taken_back
//   system steps   the gate's verdict
//
// run_directory: with events.jsonl; empty where there is none. Attempts that another process has
// gone on with are as they went on.
std::vector<nlohmann::ordered_json> read_trajectories(const std::filesystem::path& run_directory,
                                                      const std::string& model);

}  // namespace dsv4::tasks
