#include "tools/shell.h"

#include "tools/command_timer.h"
#include "tools/error.h"
#include "tools/text.h"
#include "tools/workspace.h"

namespace dsv4::tools {
namespace {

constexpr size_t kCommandLimit = 100'000;  // one argument of a program may be 128 KiB
constexpr size_t kEnvironmentLimit = 60'000;
constexpr std::string_view kMark = "\n\036dsv4 ";

// $1 variables, $2 directory, $3 the command. What the next call starts from follows the output,
// behind a mark. A command that forges the mark fools only its own next call. The temporary folder
// is another one in the next call where the box cannot give all the same name.
constexpr const char* kScript =
    "dsv4_temporary=$TMPDIR; eval \"$1\"; cd -- \"$2\" 2>/dev/null; "
    "trap 's=$?; printf \"\\n\\036dsv4 %s\\n\" \"$PWD\"; "
    "if [ \"$TMPDIR\" = \"$dsv4_temporary\" ]; then unset TMPDIR; fi; "
    "if [ \"$HOME\" = \"$dsv4_temporary\" ]; then unset HOME; fi; "
    "export -p; exit $s' EXIT; eval \"$3\"";
// A job starts where the next call would, and leaves that as it is.
constexpr const char* kJobScript = "eval \"$1\"; cd -- \"$2\" 2>/dev/null; eval \"$3\"";

void remember(Workspace& workspace, std::string_view state) {
  const size_t end = state.find('\n');
  if (end == std::string_view::npos) return;
  workspace.shell_directory = state.substr(0, end);
  std::string exported;
  for (const std::string_view line : split_lines(state.substr(end + 1))) {
    const bool own = line.starts_with("declare -x PWD=") || line.starts_with("declare -x OLDPWD") ||
                     line.starts_with("declare -x SHLVL=");
    if (!own) exported += std::string(line) + "\n";
  }
  if (exported.size() <= kEnvironmentLimit) workspace.shell_environment = std::move(exported);
}

std::string quoted(const std::string& word) {
  std::string result = "'";
  for (const char c : word) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

// The same on a terminal: `script` makes one, hands over what is written to it and the exit status.
std::vector<std::string> on_terminal(const std::vector<std::string>& argv) {
  std::string words = "stty rows 24 cols 100 2>/dev/null; export TERM=xterm SHELL=/bin/bash; exec";
  for (const std::string& word : argv) words += " " + quoted(word);
  return {"env", "SHELL=/bin/sh", "script", "-qec", words, "/dev/null"};
}

sandbox::Command shell_command(const Workspace& workspace, const char* script,
                               const ShellCommand& wanted) {
  const std::string& command = wanted.command;
  if (!workspace.options.box) throw ToolError("bash: no sandbox is set up; use the other tools.");
  if (command.size() > kCommandLimit) {
    throw ToolError("bash: the command is longer than " + std::to_string(kCommandLimit) +
                    " bytes; write it to a file and run that.");
  }
  if (wanted.terminal && workspace.options.box->backend() == sandbox::BackendKind::kLandlock) {
    throw ToolError(
        "bash: the sandbox of this machine has no terminals; call it without terminal.");
  }
  if (command.find('\0') != std::string::npos) {
    throw ToolError("bash: the command holds a NUL byte; give one without it.");
  }
  const std::string directory = workspace.shell_directory.empty() ? "." : workspace.shell_directory;
  sandbox::Command request;
  request.argv = {"bash", "-c", script, "bash", workspace.shell_environment, directory, command};
  if (wanted.terminal) request.argv = on_terminal(request.argv);
  return request;
}

}  // namespace

int64_t start_shell_job(Workspace& workspace, const ShellCommand& command) {
  sandbox::Command request = shell_command(workspace, kJobScript, command);
  workspace.jobs.check_room();
  return workspace.jobs.start(*workspace.options.box, std::move(request), command.timeout,
                              workspace.outputs.begin());
}

sandbox::Result run_shell(Workspace& workspace, const ShellCommand& command,
                          std::stop_token cancel) {
  sandbox::Command request = shell_command(workspace, kScript, command);
  std::string whole;
  std::stop_source stop;
  const std::stop_callback forward(std::move(cancel), [&stop] { stop.request_stop(); });
  const CommandTimer timer(command.timeout, stop);
  request.cancel = stop.get_token();
  request.on_output = [&whole](std::string_view bytes) {
    if (whole.size() <= Outputs::kKept) whole += bytes;
  };
  sandbox::Result result = workspace.options.box->run(request);
  if (result.end == sandbox::End::kCancelled && timer.expired()) {
    result.end = sandbox::End::kTimedOut;
    result.wall = command.timeout;
  }
  if (whole.size() <= Outputs::kKept && whole.size() >= result.output.size()) {
    result.output = std::move(whole);
  }
  if (command.terminal) result.output = without_escapes(result.output);
  const size_t mark = result.output.rfind(kMark);
  if (mark != std::string::npos) {
    remember(workspace, std::string_view(result.output).substr(mark + kMark.size()));
    result.output.resize(mark);
  }
  return result;
}

}  // namespace dsv4::tools
