#include "sandbox/sandbox.h"

#include <string.h>

#include <algorithm>
#include <optional>

#include "sandbox/bubblewrap.h"
#include "sandbox/supervisor.h"

namespace dsv4::sandbox {

namespace {
constexpr std::chrono::milliseconds kProbeTime = std::chrono::minutes(1);
}

struct Sandbox::Backend {
  std::optional<Bubblewrap> bubblewrap;  // empty: bare

  Launch launch_for(const Policy& policy) const {
    return bubblewrap ? bubblewrap->launch_for(policy) : bare_launch();
  }
};

Sandbox::Sandbox(Policy policy) : policy_(std::move(policy)) {
  check(policy_.limits);
  std::error_code error;
  policy_.work_dir = std::filesystem::canonical(policy_.work_dir, error);
  if (error || !std::filesystem::is_directory(policy_.work_dir)) {
    throw SetupError("The sandbox's working copy is not a folder: " + policy_.work_dir.string());
  }
  auto backend = std::make_shared<Backend>();
  if (policy_.enforce) backend->bubblewrap.emplace();
  backend_ = std::move(backend);
  Policy patient = policy_;  // the machine may be busy, and this is not the command that is timed
  patient.limits.wall_time = std::max(policy_.limits.wall_time, kProbeTime);
  const Result probed =
      supervise(backend_->launch_for(patient), patient, Command{{"true"}, ".", {}, {}});
  if (!probed.ok()) {
    throw SetupError("The sandbox cannot run even the command true: " + describe(probed) + ". " +
                     probed.output);
  }
}

Result Sandbox::run(const Command& command) const {
  if (command.argv.empty()) throw SetupError("A command needs at least a program name.");
  Result result = supervise(backend_->launch_for(policy_), policy_, command);
  // A command may close its own folder, and neither the next one nor we could then enter it.
  std::error_code ignored;
  std::filesystem::permissions(policy_.work_dir, std::filesystem::perms::owner_all,
                               std::filesystem::perm_options::add, ignored);
  return result;
}

std::string describe(const Result& result) {
  const auto seconds = [&result] {
    const auto tenths = result.wall.count() / 100;
    const std::string whole = std::to_string(tenths / 10);
    return (tenths % 10 == 0 ? whole : whole + "." + std::to_string(tenths % 10)) + " s";
  };
  switch (result.end) {
    case End::kExited:
      return "exit status " + std::to_string(result.status);
    case End::kSignalled: {
      const char* name = ::sigabbrev_np(result.status);
      return "killed by signal " +
             (name == nullptr ? std::to_string(result.status) : std::string("SIG") + name);
    }
    case End::kTimedOut:
      return "killed after " + seconds();
    case End::kOutOfMemory:
      return "killed: it used more memory than it may";
    case End::kDiskFull:
      return "killed: it wrote more to disk than it may";
    case End::kTooManyProcesses:
      return "killed: it started more processes than it may";
    case End::kCancelled:
      return "cancelled after " + seconds();
    case End::kNotFound:
      return "it could not be started: no such program or folder";
  }
  return "ended in an unknown way";
}

}  // namespace dsv4::sandbox
