#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>

#include "sandbox/sandbox.h"

namespace dsv4::tools {

struct Workspace;

struct ShellCommand {
  std::string command;
  std::chrono::seconds timeout{0};
  bool terminal = false;  // on a terminal of its own, 100 columns wide; escape sequences taken out
};

// Runs a command of the model with bash, in the directory and with the exported variables that the
// one before left. Result::output is all of the output up to 16 MiB, past that its head and tail.
// Throws ToolError for a command that cannot be handed over.
sandbox::Result run_shell(Workspace& workspace, const ShellCommand& command,
                          std::stop_token cancel);

// The same in the background (jobs.h); returns the job's number.
int64_t start_shell_job(Workspace& workspace, const ShellCommand& command);

}  // namespace dsv4::tools
