#include "tools/bash.h"

#include "tools/error.h"
#include "tools/shell.h"
#include "tools/workspace.h"

namespace dsv4::tools {
namespace {

constexpr int64_t kSeconds = 120;
constexpr int64_t kJobSeconds = 3600;  // the sandbox's own limit may be shorter
constexpr int64_t kStatusSeconds = 10;
constexpr int64_t kMostSeconds = 3600;

std::chrono::seconds timeout(const Arguments& arguments, int64_t otherwise) {
  const int64_t seconds = arguments.number("timeout").value_or(otherwise);
  if (seconds < 1 || seconds > kMostSeconds) {
    throw ToolError("bash: timeout must be between 1 and " + std::to_string(kMostSeconds) +
                    " seconds, got " + std::to_string(seconds) + ".");
  }
  return std::chrono::seconds(seconds);
}

ShellCommand command_of(const Arguments& arguments, int64_t seconds) {
  return {*arguments.text("command"), timeout(arguments, seconds), arguments.flag("terminal")};
}

// Programs try things that they can do without; only where one fails is that worth knowing.
std::string denied_note(const sandbox::Result& result) {
  return result.ok() || result.denied.empty() ? "" : "\n" + sandbox::describe_denied(result);
}

Outcome run_now(Workspace& workspace, const Arguments& arguments, std::stop_token cancel) {
  const sandbox::Result result =
      run_shell(workspace, command_of(arguments, kSeconds), std::move(cancel));
  std::string text = result.output;
  if (!text.empty() && !text.ends_with('\n')) text += '\n';
  return {.text = text + "(" + sandbox::describe(result) + ")" + denied_note(result)};
}

Outcome start_job(Workspace& workspace, const Arguments& arguments) {
  const int64_t number = start_shell_job(workspace, command_of(arguments, kJobSeconds));
  const std::string n = std::to_string(number);
  return {.text = "Started job " + n + ". status=" + n + " shows what it has written, stop=" + n +
                  " ends it."};
}

// Which of the four things a call asks for.
Outcome dispatch(Workspace& workspace, const Arguments& arguments, std::stop_token cancel) {
  const auto command = arguments.text("command");
  const auto status = arguments.number("status");
  const auto stop = arguments.number("stop");
  if (command.has_value() + status.has_value() + stop.has_value() != 1) {
    throw ToolError("bash: give one of command, status and stop.");
  }
  if (status) {
    const auto patience = timeout(arguments, kStatusSeconds);
    return {.text = workspace.jobs.status(*status, patience, std::move(cancel))};
  }
  if (stop) return {.text = workspace.jobs.stop(*stop)};
  if (arguments.flag("background")) return start_job(workspace, arguments);
  return run_now(workspace, arguments, std::move(cancel));
}

}  // namespace

Outcome run_bash(Workspace& workspace, const Arguments& arguments, std::stop_token cancel) {
  Outcome outcome = dispatch(workspace, arguments, std::move(cancel));
  workspace.history.after_command();
  return outcome;
}

}  // namespace dsv4::tools
