#pragma once

#include "tools/schema.h"

namespace dsv4::tools {

Outcome run_undo(Workspace& workspace, const Arguments& arguments, std::stop_token cancel);

}  // namespace dsv4::tools
