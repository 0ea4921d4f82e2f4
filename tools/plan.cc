#include "tools/plan.h"

#include "tools/workspace.h"

namespace dsv4::tools {

Outcome run_plan(Workspace& workspace, const Arguments& arguments, std::stop_token) {
  workspace.plan = arguments.texts("items");
  return {.text = "Plan noted."};
}

}  // namespace dsv4::tools
