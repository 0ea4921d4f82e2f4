#pragma once

#include "tools/schema.h"

namespace dsv4::tools {

Outcome run_test(Workspace& workspace, const Arguments& arguments, std::stop_token cancel);

// Runs the task's test command and reports on it.
TestReport run_tests(Workspace& workspace, std::stop_token cancel);

}  // namespace dsv4::tools
