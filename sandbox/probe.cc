#include "sandbox/probe.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <system_error>

#include "sandbox/cgroup.h"
#include "sandbox/landlock.h"
#include "sandbox/sandbox.h"
#include "sandbox/temporary_folder.h"

namespace fs = std::filesystem;

namespace dsv4::sandbox {
namespace {

// A protection and, for each kind of box, a script that succeeds in it only where it holds.
struct Check {
  const char* name;
  const char* in_bubblewrap;
  const char* held_by;
  const char* in_landlock;
  const char* held_by_landlock;
};
constexpr Check kChecks[] = {
    {"own processes only", "test \"$(cat /proc/1/comm)\" = .init",
     "a process-id namespace; all of it dies with the command",
     "! kill -0 $PPID 2>/dev/null && ! cat /proc/$PPID/cmdline 2>/dev/null",
     "Landlock's scopes or the broker; a reaper ends what a command leaves behind"},
    {"no network", "test \"$(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' ')\" = lo",
     "a network namespace with a loopback of its own",
     "! bash -c ': 2>&- > /dev/udp/192.0.2.1/9 && echo x > /dev/udp/192.0.2.1/9' 2>/dev/null",
     "a network namespace, or the system-call filter"},
    {"system read-only", "! touch /usr/.x 2>/dev/null && ! touch /.x 2>/dev/null",
     "read-only mounts of the system's programs and libraries",
     "! touch /usr/.x 2>/dev/null && ! touch /.x 2>/dev/null", "Landlock"},
    {"home hidden", "! ls /root >/dev/null 2>&1 && ! ls /home >/dev/null 2>&1",
     "home folders are not mounted", "! ls /root >/dev/null 2>&1 && ! ls /home >/dev/null 2>&1",
     "Landlock; names and sizes can be guessed at, contents cannot be had"},
    {"CI configuration and hooks read-only",
     "! touch .gitlab-ci.yml 2>/dev/null && ! mkdir .husky 2>/dev/null",
     "read-only mounts, and where there is nothing to mount the broker",
     "! touch .gitlab-ci.yml 2>/dev/null && ! mkdir .husky 2>/dev/null", "the broker"},
    {"kernel settings read-only", "! test -w /proc/sys/kernel/core_pattern",
     "/proc/sys is a read-only mount", "! (: >> /proc/sys/kernel/core_pattern) 2>/dev/null",
     "Landlock"},
    {"no privileges",
     "grep -q '^NoNewPrivs:.1$' /proc/self/status && "
     "grep -q '^CapBnd:.0*$' /proc/self/status && grep -q '^CapEff:.0*$' /proc/self/status",
     "no_new_privs, and every capability dropped", "! mknod null c 1 3 2>/dev/null",
     "no_new_privs, and every capability dropped"},
    {"system-call filter", "grep -q '^Seccomp:.2$' /proc/self/status", "seccomp",
     "! /usr/sbin/chroot / /bin/true 2>/dev/null", "seccomp"},
};

Capability limit_row(const Sandbox& box) {
  Capability row{"limits", true, {}, {}};
  const bool exact = box.backend() == BackendKind::kBubblewrap;
  const auto place = find_cgroup_place();
  if (place && place->memory && place->processes) {
    row.detail =
        "memory, processes and processor time: by a cgroup; growth of the working copy: "
        "measured; all else: exact";
    return row;
  }
  row.detail =
      std::string("wall time, file size, output") + (exact ? ", /tmp" : "") +
      ": exact; processor time, memory of the process tree and growth of the working copy" +
      (exact ? "" : " and of the temporary folder") + ": measured every 25 ms or so";
  row.detail += ::geteuid() == 0 ? "; processes: measured too, because the kernel exempts user 0"
                : exact          ? "; processes: exact"
                                 : "; processes: measured too";
  if (::geteuid() == 0) row.fix = "run as an ordinary user for an exact limit on processes";
  return row;
}

// What a Landlock box does not have, though it holds.
Capability missing_row(const Sandbox& box) {
  Capability row{"not in this kind of sandbox", true, {}, {}};
  row.detail =
      "files of /proc about the command itself, terminals, named semaphores and shared memory "
      "(multiprocessing.Pool in Python), a /tmp of that name (TMPDIR says where)";
  if (!box.own_network()) row.detail += ", sockets: tests cannot serve and connect on localhost";
  row.fix = "let this user make user namespaces, so that bubblewrap works";
  return row;
}

// The other kind, so that people know what --sandbox can say here.
Capability other_row(BackendKind kind, const fs::path& folder) {
  const bool bubblewrap = kind == BackendKind::kBubblewrap;
  const std::string name = bubblewrap ? "bubblewrap" : "landlock";
  try {
    Policy policy = task_policy(folder);
    policy.backend = kind;
    const Sandbox box(policy);
    const std::string version =
        bubblewrap ? "" : " (version " + std::to_string(landlock_version()) + ")";
    return {name + version + " works too", true, "--sandbox " + name, ""};
  } catch (const SetupError& error) {
    return {"no " + name, true, error.what(), ""};
  }
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

Capabilities probe(BackendKind kind) {
  Capabilities all;
  try {
    const TemporaryFolder folder;
    Policy policy = task_policy(folder.path());
    policy.backend = kind;
    const Sandbox box(policy);
    const bool bubblewrap = box.backend() == BackendKind::kBubblewrap;
    all.usable = true;
    all.rows.push_back({"sandbox", true, bubblewrap ? "bubblewrap" : "landlock", ""});
    for (const Check& check : kChecks) {
      const char* script = bubblewrap ? check.in_bubblewrap : check.in_landlock;
      const Result result = box.run(Command{{"sh", "-c", script}, ".", {}, {}});
      Capability row{
          check.name, result.ok(), bubblewrap ? check.held_by : check.held_by_landlock, {}};
      if (!row.works) {
        row.detail = "not held here (" + describe(result) + ")";
        row.fix = "this should not happen: please report it with the output of dsv4-agent doctor";
        all.usable = false;
      }
      all.rows.push_back(std::move(row));
    }
    all.rows.push_back(limit_row(box));
    if (!bubblewrap) all.rows.push_back(missing_row(box));
    if (kind == BackendKind::kAuto) {
      all.rows.push_back(
          other_row(bubblewrap ? BackendKind::kLandlock : BackendKind::kBubblewrap, folder.path()));
    }
    all.rows.push_back(programs_row());
  } catch (const std::exception& error) {
    all.usable = false;
    all.rows.insert(all.rows.begin(), {"sandbox", false, error.what(), ""});
  }
  return all;
}

}  // namespace dsv4::sandbox
