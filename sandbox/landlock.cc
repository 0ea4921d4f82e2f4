#include "sandbox/landlock.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <system_error>
#include <thread>

#include "sandbox/init_image.h"
#include "sandbox/launch_spec.h"
#include "sandbox/protected_paths.h"
#include "sandbox/seccomp.h"

namespace fs = std::filesystem;

namespace dsv4::sandbox {
namespace {

// From linux/landlock.h of Linux 6.12; the headers here may be older than the kernel.
constexpr long kCreateRuleset = 444;
constexpr long kAddRule = 445;
constexpr unsigned kAskVersion = 1;
constexpr int kPathBeneath = 1;

struct RulesetAttributes {
  uint64_t handled_fs;
  uint64_t handled_net;  // version 4
  uint64_t scoped;       // version 6
};
struct [[gnu::packed]] PathBeneath {
  uint64_t allowed;
  int32_t parent;
};

constexpr uint64_t kExecute = 1 << 0;
constexpr uint64_t kWriteFile = 1 << 1;
constexpr uint64_t kReadFile = 1 << 2;
constexpr uint64_t kReadFolder = 1 << 3;
constexpr uint64_t kMakeCharacterDevice = 1 << 6;
constexpr uint64_t kMakeBlockDevice = 1 << 11;
constexpr uint64_t kTruncate = 1 << 14;     // version 3
constexpr uint64_t kDeviceIoctl = 1 << 15;  // version 5
constexpr uint64_t kTcp = 3;                // bind and connect
constexpr uint64_t kScopes = 3;             // abstract sockets and signals

constexpr uint64_t kRead = kExecute | kReadFile | kReadFolder;
constexpr uint64_t kOfFiles = kExecute | kWriteFile | kReadFile | kTruncate | kDeviceIoctl;

// All rights on files that this version knows; what is not granted is then refused.
uint64_t rights_of(int version) {
  if (version >= 5) return (1 << 16) - 1;
  return (version >= 3 ? 1 << 15 : 1 << 14) - 1;
}

// About the machine, not about processes. Folders of processes stay closed: a rule cannot tell
// one's own from another's.
constexpr const char* kKernelFiles[] = {"cpuinfo", "filesystems", "loadavg", "meminfo",
                                        "stat",    "sys",         "uptime",  "version"};
constexpr const char* kDevices[] = {"full", "null", "random", "urandom", "zero"};
constexpr const char* kNames[] = {"group", "hosts", "localtime", "nsswitch.conf", "passwd"};

class Ruleset {
 public:
  explicit Ruleset(const LandlockOptions& options) : rights_(rights_of(options.version)) {
    RulesetAttributes handled{rights_, 0, 0};
    size_t size = sizeof handled.handled_fs;
    if (options.version >= 4) {
      size = offsetof(RulesetAttributes, scoped);
      // Only a network of its own is free; elsewhere the filter refuses sockets, and this again.
      if (!options.own_network) handled.handled_net = kTcp;
    }
    if (options.version >= 6) {
      size = sizeof handled;
      handled.scoped = kScopes;
    }
    fd_ = owned(static_cast<int>(::syscall(kCreateRuleset, &handled, size, 0)),
                "cannot make a Landlock ruleset");
  }

  void allow(const Descriptor& object, uint64_t rights) {
    struct stat file {};
    if (::fstat(object.get(), &file) != 0) owned(-1, "cannot look at a path of the sandbox");
    if (!S_ISDIR(file.st_mode)) rights &= kOfFiles;
    const PathBeneath rule{rights & rights_, object.get()};
    if (::syscall(kAddRule, fd_.get(), kPathBeneath, &rule, 0) != 0) {
      owned(-1, "cannot add a Landlock rule");
    }
  }
  void allow(const fs::path& path, uint64_t rights) {  // if it is there
    const Descriptor object(::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (object) allow(object, rights);
  }
  Descriptor take() { return std::move(fd_); }

 private:
  uint64_t rights_;
  Descriptor fd_;
};

Descriptor ruleset_for(const LandlockOptions& options, const Policy& policy, const Descriptor& work,
                       const fs::path& temporary) {
  Ruleset ruleset(options);
  for (const fs::path& path : system_programs()) ruleset.allow(path, kRead);
  for (const fs::path& path : system_folders()) ruleset.allow(path, kRead);
  for (const fs::path& path : system_files()) ruleset.allow(path, kReadFile);
  for (const char* name : kNames) ruleset.allow(fs::path("/etc") / name, kReadFile);
  for (const char* name : kKernelFiles) {
    ruleset.allow(fs::path("/proc") / name, kReadFile | kReadFolder);
  }
  for (const char* name : kDevices) {
    ruleset.allow(fs::path("/dev") / name, kReadFile | kWriteFile | kTruncate | kDeviceIoctl);
  }
  for (const fs::path& folder : policy.tool_chains) ruleset.allow(folder, kRead);
  ruleset.allow(work, kRead);
  ruleset.allow(temporary, ~(kMakeCharacterDevice | kMakeBlockDevice));
  return ruleset.take();
}

LandlockOptions checked(const LandlockOptions& options) {
  if (options.version == 0) {
    throw SetupError(
        "The sandbox cannot be set up with Landlock: this kernel does not have it, or has it "
        "switched off. It needs Linux 5.19 or newer with landlock in the list of the kernel's lsm= "
        "option.");
  }
  constexpr int kMoves = 2;  // files can be moved between folders
  if (options.version < kMoves) {
    throw SetupError(
        "The sandbox cannot be set up with Landlock: version " + std::to_string(options.version) +
        " of this kernel refuses to move files between folders. Linux 5.19 is needed.");
  }
  return options;
}

FilterOptions filters_of(const LandlockOptions& options) {
  constexpr int kScopesSignals = 6;
  return {false, options.own_network, options.version >= kScopesSignals};
}

}  // namespace

int landlock_version() {
  const long version = ::syscall(kCreateRuleset, nullptr, 0, kAskVersion);
  return version < 0 ? 0 : static_cast<int>(version);
}

// Tried on a thread of its own, which ends with what it made.
bool may_make_network() {
  bool done = false;
  std::thread([&done] { done = ::unshare(CLONE_NEWNET) == 0; }).join();
  return done;
}

Landlock::Landlock(LandlockOptions options)
    : options_(checked(options)),
      filter_(seccomp_filter(filters_of(options_))),
      broker_filter_(broker_filter(filters_of(options_))),
      init_(memory_file("dsv4-init", init_image())) {}

Launch Landlock::launch_for(const Policy& policy) const {
  Launch launch;
  launch.program = "/proc/self/fd/" + std::to_string(kFirstInherited);
  launch.argv = {"dsv4-init", "landlock"};
  launch.work_dir = policy.work_dir;
  launch.own_network = options_.own_network;
  launch.temporary = std::make_unique<TemporaryFolder>();
  const Descriptor work = open_working_copy(policy.work_dir);
  for (const fs::path& entry : policy.read_only) {
    const fs::path normal = (entry / "").lexically_normal().parent_path();
    open_beneath(work, normal);
    launch.protected_paths.push_back((policy.work_dir / normal).string());
  }
  for (const ProtectedName& name : policy.protected_names) {  // the broker goes by names
    const auto found = open_name(work, name, false);
    if (found && found->path != name.path) {
      launch.protected_paths.push_back((policy.work_dir / found->path).string());
    }
    launch.protected_paths.push_back((policy.work_dir / name.path).string());
  }
  static_assert(kRulesetFd == kFirstInherited + 1 && kBrokerFilterFd == kFirstInherited + 3);
  launch.inherited.push_back(reopened(init_));
  launch.inherited.push_back(ruleset_for(options_, policy, work, launch.temporary->path()));
  launch.inherited.push_back(reopened(filter_));
  launch.inherited.push_back(reopened(broker_filter_));
  return launch;
}

std::string landlock_advice(int32_t failure) {
  const int error = failure & 0xffff;
  const char* what = "close it";
  switch (static_cast<SetupStep>(failure >> 16)) {
    case SetupStep::kNamespaces:
      what = "make a network of its own";
      break;
    case SetupStep::kCapabilities:
      what = "give up privileges";
      break;
    case SetupStep::kLandlock:
      what = "restrict itself with Landlock";
      break;
    case SetupStep::kSeccomp:
      what = "install its system-call filter (is this a container that forbids it?)";
      break;
    case SetupStep::kProxy:
      what = "listen for its proxy";
      break;
    case SetupStep::kBroker:
      what = "start its broker (is another system-call listener installed?)";
      break;
  }
  return std::string("The Landlock sandbox cannot be set up: it could not ") + what + ": " +
         std::generic_category().message(error) +
         ". Run dsv4-agent doctor to see what this machine allows.";
}

}  // namespace dsv4::sandbox
