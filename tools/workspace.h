#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tools/history.h"
#include "tools/jobs.h"
#include "tools/outputs.h"
#include "tools/symbol_index.h"
#include "tools/toolbox.h"
#include "tools/worktree.h"

namespace dsv4::tools {

// What calls leave behind for later ones, beside the files.
struct Remembered {
  std::vector<std::string> plan;
  std::set<std::string> shown;    // calls that only look, since anything could last change
  std::string edited_symbol;      // of the last edit that named one
  std::string shell_directory;    // where the last bash call ended, as the shell calls it
  std::string shell_environment;  // what it exported, as commands
};

// What the calls of one toolbox share.
struct Workspace : Remembered {
  explicit Workspace(WorkspaceOptions with)
      : options(std::move(with)),
        files(options.root),
        symbols(files),
        history(files, options.metadata, options.state_dir),
        outputs(options.state_dir) {}

  // Throws ToolError for a path that stays as it is, whoever asks.
  void check_changeable(const std::string& path) const;

  WorkspaceOptions options;
  WorkTree files;
  SymbolIndex symbols;
  History history;
  Outputs outputs;
  std::optional<std::string> failing_command;  // runs what failed when all tests were run last
  nlohmann::ordered_json saved;                // what save_workspace said last, but for the history
  Jobs jobs;                                   // last: they end before what they work on goes
};

}  // namespace dsv4::tools
