#include "tools/workspace_save.h"

#include "tools/bytes_json.h"
#include "tools/error.h"

namespace dsv4::tools {
namespace {

using Json = nlohmann::ordered_json;

template <typename Texts>
Json json_of(const Texts& texts) {
  Json json = Json::array();
  for (const std::string& text : texts) json.push_back(bytes_to_json(text));
  return json;
}

}  // namespace

Json save_workspace(Workspace& workspace) {
  const Json now = {{"plan", json_of(workspace.plan)},
                    {"shown", json_of(workspace.shown)},
                    {"edited_symbol", bytes_to_json(workspace.edited_symbol)},
                    {"shell_directory", bytes_to_json(workspace.shell_directory)},
                    {"shell_environment", bytes_to_json(workspace.shell_environment)},
                    {"outputs", workspace.outputs.count()},
                    {"jobs", workspace.jobs.count()},
                    {"running", workspace.jobs.running()}};
  Json fresh = Json::object();
  for (const auto& [key, value] : now.items()) {
    if (workspace.saved.contains(key) && workspace.saved[key] == value) continue;
    fresh[key] = value;
  }
  workspace.saved = now;
  fresh["history"] = workspace.history.save();
  return fresh;
}

std::vector<int64_t> resume_workspace(Workspace& workspace, std::span<const Json> saved) {
  Json last = Json::object();
  std::vector<Json> history;
  for (const Json& part : saved) {
    last.update(part);
    history.push_back(part.at("history"));
  }
  workspace.plan.clear();
  for (const Json& item : last.at("plan")) workspace.plan.push_back(bytes_from_json(item));
  workspace.shown.clear();
  for (const Json& call : last.at("shown")) workspace.shown.insert(bytes_from_json(call));
  workspace.edited_symbol = bytes_from_json(last.at("edited_symbol"));
  workspace.shell_directory = bytes_from_json(last.at("shell_directory"));
  workspace.shell_environment = bytes_from_json(last.at("shell_environment"));
  workspace.outputs.go_on_after(last.at("outputs"));
  workspace.jobs.go_on_after(last.at("jobs"));
  workspace.history.resume(history);
  return last.at("running");
}

}  // namespace dsv4::tools
