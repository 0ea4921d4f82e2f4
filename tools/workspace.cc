#include "tools/workspace.h"

#include "tools/error.h"

namespace dsv4::tools {

void Workspace::check_changeable(const std::string& path) const {
  if (!options.protected_names.hold(path)) return;
  throw ToolError(tools::shown(path) +
                  " is CI configuration or a hook: it decides what runs on other machines, so it "
                  "stays as it is. Do without that change, and say at the end what a person should "
                  "change there.");
}

}  // namespace dsv4::tools
