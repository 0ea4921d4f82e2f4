#include "tools/toolbox.h"

#include "tools/choices.h"
#include "tools/error.h"
#include "tools/foresight.h"
#include "tools/registry.h"
#include "tools/test.h"
#include "tools/text.h"
#include "tools/workspace.h"
#include "tools/workspace_save.h"

namespace dsv4::tools {
namespace {

// What `read` gives; what was saved and cannot be read is told in a sentence.
template <typename Read>
auto readable(const Read& read) {
  try {
    return read();
  } catch (const nlohmann::json::exception& error) {
    throw ToolError(std::string("the saved state of the tools is damaged: ") + error.what());
  }
}

}  // namespace

struct Toolbox::State {
  explicit State(WorkspaceOptions options) : workspace(std::move(options)), tools(registry()) {
    for (const Tool& tool : tools) {
      schemas.push_back(schema(tool, workspace.options.every_parameter));
    }
  }

  const Tool& find(const std::string& name) const {
    std::string known;
    for (const Tool& tool : tools) {
      if (tool.name == name) return tool;
      known += (known.empty() ? "" : ", ") + std::string(tool.name);
    }
    throw ToolError("there is no tool " + shown(clipped(name, 60)) + "; the tools are " + known +
                    ".");
  }

  // The whole of a long text is kept where `read` finds it.
  std::string within_limit(const std::string& text) {
    if (text.size() <= workspace.options.output_limit) return text;
    return head_and_tail(text, workspace.options.output_limit, workspace.outputs.keep(text));
  }

  Workspace workspace;
  std::vector<Tool> tools;
  std::vector<nlohmann::ordered_json> schemas;
};

Toolbox::Toolbox(WorkspaceOptions options) : state_(std::make_unique<State>(std::move(options))) {}

Toolbox::~Toolbox() = default;

const std::vector<nlohmann::ordered_json>& Toolbox::schemas() const { return state_->schemas; }

Outcome Toolbox::call(const std::string& name, const nlohmann::ordered_json& arguments,
                      std::stop_token cancel) {
  Outcome outcome;
  try {
    const Tool& tool = state_->find(name);
    check_arguments(tool, arguments);
    remember_call(state_->workspace, name, arguments);
    outcome = tool.run(state_->workspace, Arguments(arguments), std::move(cancel));
    outcome.text = state_->within_limit(valid_utf8(outcome.text));
  } catch (const ToolError& error) {
    outcome = Outcome{};
    outcome.error = true;
    outcome.text = valid_utf8(std::string("Error: ") + error.what());
  }
  return outcome;
}

std::optional<std::vector<std::string>> Toolbox::choices(const std::vector<std::string>& earlier,
                                                         const std::string& tool,
                                                         const std::string& parameter,
                                                         const nlohmann::ordered_json& arguments) {
  return argument_choices(state_->workspace, earlier, tool, parameter, arguments);
}

std::optional<std::string> Toolbox::foresee(const Calls& calls) {
  return tools::foresee(state_->workspace, calls);
}

void Toolbox::set_test_command(const std::string& command) {
  state_->workspace.options.test_command = command;
}

void Toolbox::set_output_limit(size_t bytes) { state_->workspace.options.output_limit = bytes; }

TestReport Toolbox::run_tests(std::stop_token cancel) {
  return tools::run_tests(state_->workspace, std::move(cancel));
}

std::string Toolbox::diff(std::vector<std::string>* left_out) const {
  return state_->workspace.history.patch(state_->workspace.options.protected_names, left_out);
}

nlohmann::ordered_json Toolbox::save() { return save_workspace(state_->workspace); }

std::vector<int64_t> Toolbox::resume(std::span<const nlohmann::ordered_json> saved) {
  return readable([&] { return resume_workspace(state_->workspace, saved); });
}

void Toolbox::begin_diff_here() { state_->workspace.history.begin_patch_here(); }

struct Toolbox::Snapshot : SavedPlace {};

std::shared_ptr<const Toolbox::Snapshot> Toolbox::snapshot() const {
  Workspace& workspace = state_->workspace;
  return std::make_shared<const Snapshot>(Snapshot{{workspace, workspace.history.mark()}});
}

std::shared_ptr<const Toolbox::Snapshot> Toolbox::snapshot_at(
    std::span<const nlohmann::ordered_json> saved) const {
  return readable([&] {
    return std::make_shared<const Snapshot>(Snapshot{workspace_at(state_->workspace, saved)});
  });
}

std::vector<std::string> Toolbox::go_back(const Snapshot& snapshot) {
  Workspace& workspace = state_->workspace;
  static_cast<Remembered&>(workspace) = snapshot.remembered;
  return workspace.history.go_back(*snapshot.files);
}

void Toolbox::changed_from_outside() {
  const size_t before = steps();
  state_->workspace.history.after_command();
  if (steps() != before) state_->workspace.shown.clear();
}

size_t Toolbox::steps() const { return state_->workspace.history.steps(); }

void Toolbox::join_steps(size_t from) { state_->workspace.history.join_steps(from); }

const std::vector<std::string>& Toolbox::plan() const { return state_->workspace.plan; }

}  // namespace dsv4::tools
