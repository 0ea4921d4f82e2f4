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

// Several saves in a row: each field as it was said last, and what each said of the history.
struct Parts {
  Json last = Json::object();
  std::vector<Json> history;
};

Parts read(std::span<const Json> saved) {
  Parts parts;
  for (const Json& part : saved) {
    parts.last.update(part);
    parts.history.push_back(part.at("history"));
  }
  return parts;
}

Remembered remembered(const Json& last) {
  Remembered out;
  for (const Json& item : last.at("plan")) out.plan.push_back(bytes_from_json(item));
  for (const Json& call : last.at("shown")) out.shown.insert(bytes_from_json(call));
  out.edited_symbol = bytes_from_json(last.at("edited_symbol"));
  out.shell_directory = bytes_from_json(last.at("shell_directory"));
  out.shell_environment = bytes_from_json(last.at("shell_environment"));
  return out;
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

SavedPlace workspace_at(const Workspace& workspace, std::span<const Json> saved) {
  const Parts parts = read(saved);
  return {remembered(parts.last), workspace.history.mark_at(parts.history)};
}

std::vector<int64_t> resume_workspace(Workspace& workspace, std::span<const Json> saved) {
  const Parts parts = read(saved);
  static_cast<Remembered&>(workspace) = remembered(parts.last);
  workspace.outputs.go_on_after(parts.last.at("outputs"));
  workspace.jobs.go_on_after(parts.last.at("jobs"));
  workspace.history.resume(parts.history);
  return parts.last.at("running");
}

}  // namespace dsv4::tools
