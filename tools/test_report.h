#pragma once

#include <string>

#include "sandbox/sandbox.h"

namespace dsv4::tools {

struct Workspace;

// What the model is told of a failed test run: how it ended, up to three failures with the line
// that failed, its message and the functions it points at, or the end of the output when none is
// recognised.
std::string failure_report(Workspace& workspace, const sandbox::Result& result);

}  // namespace dsv4::tools
