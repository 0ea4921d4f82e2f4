#include "tools/finish.h"

#include "tools/workspace.h"

namespace dsv4::tools {

Outcome run_finish(Workspace&, const Arguments&, std::stop_token) {
  return {.text = "Finished.", .finished = true};
}

}  // namespace dsv4::tools
