#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "sandbox/sandbox.h"
#include "tools/failed_trees.h"
#include "tools/foresight.h"
#include "tools/spent_symbols.h"

namespace dsv4::tools {

// What the tools work on: a private copy of the user's repository.
struct WorkspaceOptions {
  std::filesystem::path root;  // the working copy
  // The git directory that says which files are tracked, and knows their contents: where no command
  // can write, so not the one that commands find at the root. Only read; need not be there.
  std::filesystem::path metadata{};
  std::filesystem::path state_dir;  // outside root: snapshots for undo, whole outputs that were cut
  std::string test_command;         // run by sh -c in the working copy
  const sandbox::Sandbox* box = nullptr;  // must outlive the toolbox
  size_t output_limit = 16 << 10;         // bytes of one result shown to the model
  // Where failing tests are remembered, with what toolboxes on equal copies found; may be null.
  std::shared_ptr<FailedTrees> failed = nullptr;
  // Where the definitions behind failing tests are counted; may be null.
  std::shared_ptr<SpentSymbols> spent = nullptr;
  // schemas() names every parameter there is, those too that the embedded model was not trained
  // with.
  bool every_parameter = false;
  sandbox::ProtectedNames protected_names{};  // what edit and write refuse to change
  bool leave_spent = false;  // those that are spent are not offered for editing, if others are left
};

// The outcome of the task's test command, as `test` shows it.
struct TestReport {
  bool passed = false;  // exit status 0, nothing else
  sandbox::Result result;
  std::string text;  // failures first, with the path and function they point at
};

// What one call did.
struct Outcome {
  std::string text;       // for the model
  bool error = false;     // the call could not be done; text says what to do
  bool finished = false;  // the model says it is done
  std::optional<TestReport> test{};
};

// The tools the model may call, behind one table.
class Toolbox {
 public:
  explicit Toolbox(WorkspaceOptions options);
  ~Toolbox();

  // {"name","description","parameters"} of each, in a stable order.
  const std::vector<nlohmann::ordered_json>& schemas() const;

  // Checks the arguments against the schema and does the call. Bad calls come back as outcomes with
  // error set, never as exceptions; sandbox::SetupError passes through.
  Outcome call(const std::string& name, const nlohmann::ordered_json& arguments,
               std::stop_token cancel = {});

  // The values that make sense for an argument, given those before it in the call; nothing when it
  // is free. `earlier` names the turn's calls before it. Lets the model's sampler offer only files,
  // definitions and lines that are there.
  std::optional<std::vector<std::string>> choices(const std::vector<std::string>& earlier,
                                                  const std::string& tool,
                                                  const std::string& parameter,
                                                  const nlohmann::ordered_json& arguments);

  // Why doing these calls leads nowhere, see foresight.h. Changes nothing.
  std::optional<std::string> foresee(const Calls& calls);

  // What `test` runs from now on.
  void set_test_command(const std::string& command);

  // How much of one result the model is shown from now on, in bytes.
  void set_output_limit(size_t bytes);

  // The task's tests, outside any call of the model.
  TestReport run_tests(std::stop_token cancel = {});

  // The changes since the toolbox was made, or begin_diff_here() was called, as a git patch; empty
  // when there are none. Changed files with protected names are not in it: their paths are put in
  // `left_out` where one is given.
  std::string diff(std::vector<std::string>* left_out = nullptr) const;
  void begin_diff_here();

  // The working copy, what undo can take back of it, and what the tools remember, as they are now.
  // Of use to this toolbox only. Background jobs are no part of it.
  struct Snapshot;
  std::shared_ptr<const Snapshot> snapshot() const;

  // The snapshot of the last of several save()s in a row, of this toolbox or of the one that it
  // resumed. Throws ToolError when something needed is not there.
  std::shared_ptr<const Snapshot> snapshot_at(std::span<const nlohmann::ordered_json> saved) const;

  // Makes all that what it was. The paths that changed with it.
  std::vector<std::string> go_back(const Snapshot& snapshot);

  // Somebody else may have changed the working copy: what changed is one step of undo.
  void changed_from_outside();

  // Steps that undo can take back, and making one of those after the first `from`.
  size_t steps() const;
  void join_steps(size_t from);

  // What another toolbox on the same working copy and state_dir needs to go on from here, beside
  // the results of earlier calls: a JSON object with what changed since the last of them. The
  // contents that it names outlive this process.
  nlohmann::ordered_json save();

  // Makes a new toolbox, and its working copy, what they were at the last of several save()s in a
  // row, whatever was done to the files since. Background jobs are gone; returns the numbers of
  // those that were running. Throws ToolError when something needed is not there.
  std::vector<int64_t> resume(std::span<const nlohmann::ordered_json> saved);

  // The checklist the model last set with `plan`, for the live view.
  const std::vector<std::string>& plan() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace dsv4::tools
