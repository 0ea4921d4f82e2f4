#include "tools/undo.h"

#include "tools/workspace.h"

namespace dsv4::tools {

Outcome run_undo(Workspace& workspace, const Arguments&, std::stop_token) {
  constexpr size_t kNamed = 5;
  const std::vector<std::string> paths = workspace.history.undo();
  std::string text = "Undid the last change to ";
  for (size_t k = 0; k < paths.size() && k < kNamed; ++k) {
    text += (k > 0 ? ", " : "") + shown(paths[k]);
  }
  if (paths.size() > kNamed) text += " and " + std::to_string(paths.size() - kNamed) + " more";
  return {.text = text + "."};
}

}  // namespace dsv4::tools
