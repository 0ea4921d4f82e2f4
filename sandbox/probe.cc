#include "sandbox/probe.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <system_error>

#include "sandbox/sandbox.h"

namespace fs = std::filesystem;

namespace dsv4::sandbox {
namespace {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code error;
    const fs::path named = fs::temp_directory_path(error);  // TMPDIR may name nothing
    std::string name = ((error ? fs::path("/tmp") : named) / "dsv4-probe-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw SetupError("cannot make a temporary folder at " + name);
    }
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// A protection and a script that succeeds in the box only where it holds.
struct Check {
  const char* name;
  const char* script;
  const char* detail;
};
constexpr Check kChecks[] = {
    {"own processes only", "test \"$(cat /proc/1/comm)\" = .init",
     "a process-id namespace; all of it dies with the command"},
    {"no network", "test \"$(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ')\" = lo",
     "a network namespace with a loopback of its own"},
    {"system read-only", "! touch /usr/.x 2>/dev/null && ! touch /.x 2>/dev/null",
     "read-only mounts of the system's programs and libraries"},
    {"home hidden", "! ls /root >/dev/null 2>&1 && ! ls /home >/dev/null 2>&1",
     "home folders are not mounted"},
    {"git metadata read-only", "! touch /work/.git/x 2>/dev/null", "a read-only mount"},
    {"kernel settings read-only", "! test -w /proc/sys/kernel/core_pattern",
     "/proc/sys is a read-only mount"},
    {"no privileges",
     "grep -q '^NoNewPrivs:.1$' /proc/self/status && "
     "grep -q '^CapBnd:.0*$' /proc/self/status && grep -q '^CapEff:.0*$' /proc/self/status",
     "no_new_privs, and every capability dropped"},
    {"system-call filter", "grep -q '^Seccomp:.2$' /proc/self/status", "seccomp"},
};

Capability limit_row() {
  Capability row{"limits", true, {}, {}};
  row.detail =
      "wall time, file size, output, /tmp: exact; memory of the process tree and growth of the "
      "working copy: measured every 25 ms or so";
  row.detail += ::geteuid() == 0 ? "; processes: measured too, because the kernel exempts user 0"
                                 : "; processes: exact";
  if (::geteuid() == 0) row.fix = "run as an ordinary user for an exact limit on processes";
  return row;
}

Capability programs_row() {
  Capability row{"programs", true, "every folder of PATH can be read", {}};
  std::string hidden;
  for (const fs::path& folder : hidden_from_path()) {
    if (!hidden.empty()) hidden += ", ";
    hidden += folder.string();
  }
  if (!hidden.empty()) {
    row.detail = "not visible to commands, because private: " + hidden;
    row.fix = "install what the tests need from there for everyone, in /usr/local or /opt";
  }
  return row;
}

}  // namespace

Capabilities probe() {
  Capabilities all;
  try {
    const TemporaryFolder folder;
    const Sandbox box(task_policy(folder.path()));
    all.usable = true;
    all.rows.push_back({"sandbox", true, "bubblewrap", ""});
    for (const Check& check : kChecks) {
      const Result result = box.run(Command{{"sh", "-c", check.script}, ".", {}, {}});
      Capability row{check.name, result.ok(), check.detail, {}};
      if (!row.works) {
        row.detail = "not held here (" + describe(result) + ")";
        row.fix = "this should not happen: please report it with the output of dsv4-agent doctor";
        all.usable = false;
      }
      all.rows.push_back(std::move(row));
    }
    all.rows.push_back(limit_row());
    all.rows.push_back(programs_row());
  } catch (const std::exception& error) {
    all.usable = false;
    all.rows.insert(all.rows.begin(), {"sandbox", false, error.what(), ""});
  }
  return all;
}

}  // namespace dsv4::sandbox
