#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sandbox/allowed_host.h"
#include "sandbox/limits.h"
#include "sandbox/protected_names.h"

namespace dsv4::sandbox {

// The path at which a command in a bubblewrap box sees its working copy, whatever it is called
// outside: output then reads the same in every run. Landlock cannot move files; there it is seen
// where it is, and what a policy's environment says about /tmp is said about a folder made for each
// command.
inline constexpr const char* kWorkDir = "/work";

// The sandbox could not be set up, so nothing was run. The message names the reason and the fix.
class SetupError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class BackendKind {
  kAuto,  // bubblewrap where it works, else Landlock
  kBubblewrap,
  kLandlock,
};

// "auto", "bubblewrap" or "landlock". Throws std::invalid_argument that lists them.
BackendKind backend_kind(std::string_view name);
std::string_view name_of(BackendKind kind);

struct Machine;

// What a command may see and do. Build one with a named builder; deny by default.
struct Policy {
  std::filesystem::path work_dir;                // outside path of the working copy, writable
  std::vector<std::filesystem::path> read_only;  // relative to work_dir, kept read-only; made as an
                                                 // empty folder where missing, so that no command
                                                 // can make it
  // Kept read-only likewise, and nothing is refused because of one: where it is a link, what that
  // leads to in the working copy is kept instead, and in a bubblewrap box the link itself is not.
  std::vector<ProtectedName> protected_names;
  std::vector<std::filesystem::path> tool_chains;  // outside /usr, readable at the same path
  std::vector<std::pair<std::string, std::string>> environment;  // all of it: nothing is inherited
  // Servers outside that commands may reach, through a proxy of this program's that http_proxy and
  // https_proxy name; empty: none. Everything else stays out of reach.
  std::vector<AllowedHost> network;
  std::function<void(const std::string&)> on_network;  // a line for each attempt; on any thread
  Limits limits;
  BackendKind backend = BackendKind::kAuto;
  bool enforce = true;  // false only for --no-sandbox, typed out by a person
};

// For the task's own commands: tests, builds, and what the model runs. PATH is this program's own,
// without what lies in a home or temporary directory; the names are read-only. What lies at .git is
// like other files, so that commands can commit: it has to be a copy, and nobody's record.
Policy task_policy(const std::filesystem::path& work_dir,
                   const ProtectedNames& names = ProtectedNames());

// The folders in which commands find their programs.
std::vector<std::filesystem::path> visible_on_path();

// The folders of this program's PATH that no command sees, because they lie in a home or another
// private place: what is installed there does not exist in the box.
std::vector<std::filesystem::path> hidden_from_path();

struct Command {
  std::vector<std::string> argv;                    // found on the sandbox's PATH
  std::string cwd = ".";                            // relative to the working copy
  std::function<void(std::string_view)> on_output;  // as it comes, may be empty
  std::stop_token cancel;
};

enum class End {
  kExited,
  kSignalled,
  kTimedOut,
  kOutOfMemory,
  kOutOfProcessorTime,
  kDiskFull,
  kCancelled,
  kNotFound,
  kTooManyProcesses,  // where the kernel cannot just refuse more of them: run by user 0, or bare
};

struct Result {
  End end = End::kExited;
  int status = 0;             // exit status, or the signal's number
  std::string output;         // stdout and stderr as they came, head and tail when over the limit
  uint64_t output_bytes = 0;  // before cutting
  bool output_cut = false;
  // What the box was seen to refuse: "ptrace", "changing .git", "reaching pypi.org:443"; each once,
  // in their order. Seen are system calls that are refused whatever their arguments, refusals of
  // the broker of a Landlock box (init/broker.h), and those of the proxy. Not seen is what the
  // kernel answers by itself: a read-only mount of a bubblewrap box (EROFS), a file that is not
  // there, a network without a way out, calls refused for an argument. Programs may also try things
  // that they can do without, so that a denial need not be why a command failed.
  std::vector<std::string> denied;
  std::chrono::milliseconds wall{0};

  bool ok() const { return end == End::kExited && status == 0; }
};

// One sentence for people and the model: "exit status 1", "killed after 30 s", ...
std::string describe(const Result& result);

// "The sandbox denied: ptrace, changing .git."; empty where nothing was seen to be denied.
std::string describe_denied(const Result& result);

// Runs commands under one policy. No process of a command outlives run(), nor this program.
class Sandbox {
 public:
  // Probes that the policy can be enforced here; throws SetupError where it cannot.
  explicit Sandbox(Policy policy);
  // On a machine as described, for tests: less than this one would allow.
  Sandbox(Policy policy, const Machine& machine);
  const Policy& policy() const { return policy_; }
  BackendKind backend() const;  // the one that was chosen
  bool own_network() const;     // commands have a loopback

  // Thread-safe. Throws SetupError when the command's box could not be made.
  Result run(const Command& command) const;

 private:
  struct Backend;
  void choose(const Machine& machine);
  void use(std::shared_ptr<Backend> backend);

  Policy policy_;
  std::shared_ptr<const Backend> backend_;
};

}  // namespace dsv4::sandbox
