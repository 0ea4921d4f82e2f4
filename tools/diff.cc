#include "tools/diff.h"

#include "tools/workspace.h"
#include "tools/worktree.h"

namespace dsv4::tools {

Outcome run_diff(Workspace& workspace, const Arguments&, std::stop_token) {
  std::vector<std::string> left_out;
  std::string text = workspace.history.patch(workspace.options.protected_names, &left_out);
  if (text.empty()) text = "No changes.";
  for (const std::string& path : left_out) {
    if (!text.ends_with('\n')) text += '\n';
    text += shown(path) + " is CI configuration or a hook: its change is no part of the patch.\n";
  }
  return {.text = std::move(text)};
}

}  // namespace dsv4::tools
