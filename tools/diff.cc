#include "tools/diff.h"

#include "tools/workspace.h"

namespace dsv4::tools {

Outcome run_diff(Workspace& workspace, const Arguments&, std::stop_token) {
  const std::string patch = workspace.history.patch(workspace.options.protected_names);
  return {.text = patch.empty() ? "No changes." : patch};
}

}  // namespace dsv4::tools
