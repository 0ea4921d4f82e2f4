#include "tools/shell.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "tools/error.h"
#include "tools/text.h"
#include "tools/workspace.h"

namespace dsv4::tools {
namespace {

constexpr size_t kCommandLimit = 100'000;  // one argument of a program may be 128 KiB
constexpr size_t kEnvironmentLimit = 60'000;
constexpr std::string_view kMark = "\n\036dsv4 ";

// $1 variables, $2 directory, $3 the command. What the next call starts from follows the output,
// behind a mark. A command that forges the mark fools only its own next call.
constexpr const char* kScript =
    "eval \"$1\"; cd -- \"$2\" 2>/dev/null; "
    "trap 's=$?; printf \"\\n\\036dsv4 %s\\n\" \"$PWD\"; export -p; exit $s' EXIT; eval \"$3\"";

// Ends a command when its own time is up.
class Timer {
 public:
  Timer(std::chrono::seconds timeout, std::stop_source& command)
      : thread_([this, timeout, &command](std::stop_token done) {
          std::unique_lock lock(mutex_);
          wake_.wait_for(lock, done, timeout, [] { return false; });
          if (done.stop_requested()) return;
          expired_ = true;
          command.request_stop();
        }) {}

  bool expired() const { return expired_; }

 private:
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::atomic<bool> expired_ = false;
  std::jthread thread_;  // last: it uses the others
};

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

}  // namespace

sandbox::Result run_shell(Workspace& workspace, const std::string& command,
                          std::chrono::seconds timeout, std::stop_token cancel) {
  if (!workspace.options.box) throw ToolError("bash: no sandbox is set up; use the other tools.");
  if (command.size() > kCommandLimit) {
    throw ToolError("bash: the command is longer than " + std::to_string(kCommandLimit) +
                    " bytes; write it to a file and run that.");
  }
  const std::string directory = workspace.shell_directory.empty() ? "." : workspace.shell_directory;
  std::string whole;
  std::stop_source stop;
  const std::stop_callback forward(std::move(cancel), [&stop] { stop.request_stop(); });
  const Timer timer(timeout, stop);
  sandbox::Command request;
  request.argv = {"bash", "-c", kScript, "bash", workspace.shell_environment, directory, command};
  request.cancel = stop.get_token();
  request.on_output = [&whole](std::string_view bytes) {
    if (whole.size() <= Outputs::kKept) whole += bytes;
  };
  sandbox::Result result = workspace.options.box->run(request);
  if (result.end == sandbox::End::kCancelled && timer.expired()) {
    result.end = sandbox::End::kTimedOut;
    result.wall = timeout;
  }
  if (whole.size() <= Outputs::kKept && whole.size() >= result.output.size()) {
    result.output = std::move(whole);
  }
  const size_t mark = result.output.rfind(kMark);
  if (mark != std::string::npos) {
    remember(workspace, std::string_view(result.output).substr(mark + kMark.size()));
    result.output.resize(mark);
  }
  return result;
}

}  // namespace dsv4::tools
