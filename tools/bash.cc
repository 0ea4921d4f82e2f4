#include "tools/bash.h"

#include "tools/error.h"
#include "tools/shell.h"
#include "tools/text.h"
#include "tools/workspace.h"

namespace dsv4::tools {

Outcome run_bash(Workspace& workspace, const Arguments& arguments, std::stop_token cancel) {
  constexpr int64_t kSeconds = 120;
  constexpr int64_t kMostSeconds = 3600;
  const int64_t seconds = arguments.number("timeout").value_or(kSeconds);
  if (seconds < 1 || seconds > kMostSeconds) {
    throw ToolError("bash: timeout must be between 1 and " + std::to_string(kMostSeconds) +
                    " seconds, got " + std::to_string(seconds) + ".");
  }
  const std::string command = *arguments.text("command");
  if (command.find('\0') != std::string::npos) {
    throw ToolError("bash: the command holds a NUL byte; give one without it.");
  }
  const sandbox::Result result =
      run_shell(workspace, command, std::chrono::seconds(seconds), std::move(cancel));
  workspace.history.after_command();
  std::string text = result.output;
  if (!text.empty() && !text.ends_with('\n')) text += '\n';
  return {.text = text + "(" + sandbox::describe(result) + ")"};
}

}  // namespace dsv4::tools
