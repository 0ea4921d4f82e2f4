#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>

#include "sandbox/sandbox.h"

namespace dsv4::tools {

struct Workspace;

// Runs a command of the model with bash, in the directory and with the exported variables that the
// one before left. Result::output is all of the output up to 16 MiB, past that its head and tail.
// Throws ToolError for a command that cannot be handed over.
sandbox::Result run_shell(Workspace& workspace, const std::string& command,
                          std::chrono::seconds timeout, std::stop_token cancel);

// The same in the background (jobs.h); returns the job's number.
int64_t start_shell_job(Workspace& workspace, const std::string& command,
                        std::chrono::seconds timeout);

}  // namespace dsv4::tools
