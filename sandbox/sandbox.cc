#include "sandbox/sandbox.h"

#include <string.h>

#include <algorithm>
#include <optional>

#include "sandbox/bubblewrap.h"
#include "sandbox/cgroup.h"
#include "sandbox/machine.h"
#include "sandbox/supervisor.h"

namespace dsv4::sandbox {

namespace {
constexpr std::chrono::milliseconds kProbeTime = std::chrono::minutes(1);

// A place that turns out not to allow groups after all is done without: what a group would hold is
// then measured.
std::optional<CgroupPlace> usable_cgroup_place(const Limits& limits) {
  std::optional<CgroupPlace> place = find_cgroup_place();
  try {
    if (place) {
      remove_old_groups(*place);
      Cgroup(*place, limits);
    }
  } catch (const SetupError&) {
    place.reset();
  }
  return place;
}

}  // namespace

struct Sandbox::Backend {
  std::optional<CgroupPlace> cgroups;
  std::optional<Bubblewrap> bubblewrap;
  std::optional<Landlock> landlock;  // neither: bare

  Launch launch_for(const Policy& policy) const {
    Launch launch = bubblewrap ? bubblewrap->launch_for(policy)
                    : landlock ? landlock->launch_for(policy)
                               : bare_launch(policy);
    // One that limits nothing still ends what has got away; where the kernel does that by itself it
    // is not worth its time.
    if (cgroups && (cgroups->memory || cgroups->processes || !launch.own_processes)) {
      launch.cgroup = std::make_unique<Cgroup>(*cgroups, policy.limits);
    }
    return launch;
  }
  static std::shared_ptr<Backend> of_bubblewrap(bool broker) {
    auto backend = std::make_shared<Backend>();
    backend->bubblewrap.emplace(broker);
    return backend;
  }
  static std::shared_ptr<Backend> of_landlock(const LandlockOptions& options) {
    auto backend = std::make_shared<Backend>();
    backend->landlock.emplace(options);
    return backend;
  }
};

std::string_view name_of(BackendKind kind) {
  switch (kind) {
    case BackendKind::kBubblewrap:
      return "bubblewrap";
    case BackendKind::kLandlock:
      return "landlock";
    default:
      return "auto";
  }
}

BackendKind backend_kind(std::string_view name) {
  for (const BackendKind kind :
       {BackendKind::kAuto, BackendKind::kBubblewrap, BackendKind::kLandlock}) {
    if (name == name_of(kind)) return kind;
  }
  throw std::invalid_argument("there is no sandbox '" + std::string(name) +
                              "': choose auto, bubblewrap or landlock");
}

// A box without a network of its own still holds all of the policy: it only does without a
// loopback.
Sandbox::Sandbox(Policy policy) : Sandbox(std::move(policy), Machine{}) {}

Sandbox::Sandbox(Policy policy, const Machine& machine) : policy_(std::move(policy)) {
  check(policy_.limits);
  std::error_code error;
  policy_.work_dir = std::filesystem::canonical(policy_.work_dir, error);
  if (error || !std::filesystem::is_directory(policy_.work_dir)) {
    throw SetupError("The sandbox's working copy is not a folder: " + policy_.work_dir.string());
  }
  if (!policy_.enforce && !policy_.network.empty()) {
    throw SetupError("Without a sandbox the whole network is open; --allow-net needs one.");
  }
  if (policy_.enforce) {
    choose(machine);
  } else {
    use(std::make_shared<Backend>());
  }
}

void Sandbox::choose(const Machine& machine) {
  std::string complaint;
  if (policy_.backend != BackendKind::kLandlock) {
    try {
      return use(Backend::of_bubblewrap(machine.broker));
    } catch (const SetupError& refused) {
      if (policy_.backend == BackendKind::kBubblewrap) throw;
      complaint = refused.what();
    }
  }
  try {
    LandlockOptions options = machine.landlock;
    options.own_network = options.own_network && may_make_network();
    if (!options.own_network && !policy_.network.empty()) {
      throw SetupError(
          "The sandbox cannot be set up with Landlock: hosts are allowed, and a proxy to them "
          "needs a "
          "network namespace, which this user may not make.");
    }
    use(Backend::of_landlock(options));
  } catch (const SetupError& refused) {
    if (complaint.empty() || complaint == refused.what()) throw;
    throw SetupError(complaint + " Nor can the other kind: " + refused.what());
  }
}

void Sandbox::use(std::shared_ptr<Backend> backend) {
  backend->cgroups = usable_cgroup_place(policy_.limits);
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

BackendKind Sandbox::backend() const {
  if (backend_->bubblewrap) return BackendKind::kBubblewrap;
  return backend_->landlock ? BackendKind::kLandlock : BackendKind::kAuto;
}

bool Sandbox::own_network() const {
  return backend_->bubblewrap || (backend_->landlock && backend_->landlock->options().own_network);
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

std::string describe_denied(const Result& result) {
  if (result.denied.empty()) return "";
  std::string text = "The sandbox denied: ";
  for (const std::string& each : result.denied) {
    text += (&each == &result.denied.front() ? "" : ", ") + each;
  }
  return text + ".";
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
    case End::kOutOfProcessorTime:
      return "killed: it used more processor time than it may";
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
