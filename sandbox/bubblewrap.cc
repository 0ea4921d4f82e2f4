#include "sandbox/bubblewrap.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <set>
#include <system_error>

#include "sandbox/init_image.h"
#include "sandbox/launch_spec.h"
#include "sandbox/protected_paths.h"
#include "sandbox/seccomp.h"

namespace fs = std::filesystem;

namespace dsv4::sandbox {
namespace {

// Files of /proc through which user 0 outside, which we may be, can steer the kernel even without a
// capability (core_pattern names a program the kernel runs as root): read-only. Others tell about
// the machine or its keys: unreadable. What is closed to us outside needs nothing.
constexpr const char* kProcReadOnly[] = {"acpi", "asound", "bus", "fs",           "irq",
                                         "mtrr", "scsi",   "sys", "sysrq-trigger"};
constexpr const char* kProcHidden[] = {"kcore",       "keys",       "kmsg",
                                       "sched_debug", "timer_list", "vmallocinfo"};

constexpr const char* kUserId = "1000";
constexpr const char* kInitPath = "/.init";
constexpr uint64_t kSharedMemoryBytes = 256ull << 20;

fs::path find_bwrap() {
  for (const char* path : {"/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"}) {
    if (::access(path, X_OK) == 0) return path;
  }
  throw SetupError(
      "The sandbox needs bubblewrap, and /usr/bin/bwrap is not there. Install the package "
      "bubblewrap (apt install bubblewrap).");
}

// Gathers bubblewrap's arguments and the descriptors they name.
class Plan {
 public:
  explicit Plan(Launch& launch) : launch_(launch) {}

  void add(std::initializer_list<std::string> words) {
    launch_.argv.insert(launch_.argv.end(), words);
  }
  // The number under which the child will see `fd`.
  std::string pass(Descriptor fd) {
    launch_.inherited.push_back(std::move(fd));
    return std::to_string(kFirstInherited + static_cast<int>(launch_.inherited.size()) - 1);
  }
  void bind(const char* option, Descriptor source, const std::string& at) {
    add({option, "/proc/self/fd/" + pass(std::move(source)), at});
  }
  // A copy; it is read-only because the root it lies in becomes so.
  void file(Descriptor content, const std::string& at, const char* mode) {
    add({"--perms", mode, "--file", pass(std::move(content)), at});
  }

 private:
  Launch& launch_;
};

void add_system(Plan& plan) {
  plan.add({"--ro-bind", "/usr", "/usr"});
  for (const char* name : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
    const fs::path path = fs::path("/") / name;
    std::error_code ignored;
    if (fs::is_symlink(path, ignored)) {
      plan.add({"--symlink", fs::read_symlink(path).string(), path.string()});
    } else if (fs::is_directory(path, ignored)) {
      plan.add({"--ro-bind", path.string(), path.string()});
    }
  }
  // Files are copied and folders are mounted; a mount costs many times what a small copy does.
  for (const fs::path& path : system_files()) {
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file) plan.file(std::move(file), path.string(), "0444");
  }
  for (const fs::path& path : system_folders()) {
    plan.add({"--ro-bind", path.string(), path.string()});
  }
}

void add_kernel_files(Plan& plan) {
  plan.add({"--proc", "/proc", "--dev", "/dev"});
  for (const char* name : kProcReadOnly) {
    const std::string path = std::string("/proc/") + name;
    const bool folder = fs::is_directory(path);
    if (folder ? ::geteuid() == 0 : ::access(path.c_str(), W_OK) == 0) {
      plan.add({"--ro-bind", path, path});
    }
  }
  for (const char* name : kProcHidden) {
    const std::string path = std::string("/proc/") + name;
    if (::access(path.c_str(), R_OK) == 0) plan.add({"--ro-bind", "/dev/null", path});
  }
  plan.add({"--perms", "1777", "--size", std::to_string(kSharedMemoryBytes), "--tmpfs", "/dev/shm",
            "--remount-ro", "/dev"});
}

// The working copy, with its protected paths. Every folder above a protected path is a mount of its
// own: one could otherwise be renamed away, and another put in its place. Names that are not there
// are left to the broker, or get a stand-in to mount.
void add_working_copy(Plan& plan, const Policy& policy, bool stand_ins, Launch& launch) {
  const Descriptor root = open_working_copy(policy.work_dir);
  const auto same = [&] {
    return owned(::fcntl(root.get(), F_DUPFD_CLOEXEC, 0), "cannot duplicate a descriptor");
  };
  plan.bind("--bind", same(), kWorkDir);
  std::vector<FoundName> kept;
  for (const fs::path& entry : policy.read_only) {
    const fs::path normal = entry.lexically_normal();
    kept.push_back({normal, open_beneath(root, normal)});
  }
  for (const ProtectedName& name : policy.protected_names) {
    auto found = open_name(root, name, stand_ins);
    if (!stand_ins && (!found || found->path != name.path)) {
      launch.protected_paths.push_back((fs::path(kWorkDir) / name.path).string());
    }
    if (found) kept.push_back(std::move(*found));
  }
  std::set<fs::path> above;
  for (const FoundName& each : kept) {
    for (fs::path up = each.path.parent_path(); !up.empty(); up = up.parent_path()) {
      above.insert(up);
    }
  }
  for (const fs::path& folder : above) {  // sorted: outer folders come first
    plan.bind("--bind", open_beneath(root, folder), (fs::path(kWorkDir) / folder).string());
  }
  for (FoundName& each : kept) {
    plan.bind("--ro-bind", std::move(each.object), (fs::path(kWorkDir) / each.path).string());
  }
}

}  // namespace

Bubblewrap::Bubblewrap(bool broker)
    : stand_ins_(!broker),
      program_(find_bwrap()),
      filter_(seccomp_filter({})),
      broker_filter_(broker_filter({})),
      telling_filter_(refusing_filter(true)),
      silent_filter_(refusing_filter(false)),
      init_(memory_file("dsv4-init", init_image())),
      passwd_(memory_file("dsv4-passwd",
                          "root:x:0:0:root:/nonexistent:/usr/sbin/nologin\n"
                          "agent:x:1000:1000:agent:/tmp:/bin/bash\n"
                          "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n")),
      group_(memory_file("dsv4-group", "root:x:0:\nagent:x:1000:\nnogroup:x:65534:\n")),
      hosts_(memory_file("dsv4-hosts", "127.0.0.1 localhost sandbox\n::1 localhost\n")),
      nsswitch_(memory_file("dsv4-nsswitch", "passwd: files\ngroup: files\nhosts: files\n")) {}

Launch Bubblewrap::launch_for(const Policy& policy) const {
  Launch launch;
  launch.program = program_;
  launch.work_dir = kWorkDir;
  launch.own_processes = true;
  Plan plan(launch);
  static_assert(kArgumentsFilterFd == kFirstInherited && kSilentFilterFd == kFirstInherited + 2);
  plan.pass(reopened(filter_));  // for init
  plan.pass(reopened(telling_filter_));
  plan.pass(reopened(silent_filter_));
  // Init keeps what it needs to look into the processes that it is asked by, and to give that up in
  // the command's.
  plan.add({"bwrap",
            "--unshare-user",
            "--unshare-pid",
            "--unshare-ipc",
            "--unshare-uts",
            "--unshare-net",
            "--unshare-cgroup",
            "--disable-userns",
            "--uid",
            kUserId,
            "--gid",
            kUserId,
            "--hostname",
            "sandbox",
            "--cap-drop",
            "ALL",
            "--cap-add",
            "CAP_SYS_PTRACE",
            "--cap-add",
            "CAP_SETPCAP",
            "--new-session",
            "--die-with-parent",
            "--as-pid-1"});
  add_system(plan);
  for (const fs::path& folder : policy.tool_chains) {
    plan.add({"--ro-bind-try", folder.string(), folder.string()});
  }
  plan.file(reopened(passwd_), "/etc/passwd", "0444");
  plan.file(reopened(group_), "/etc/group", "0444");
  plan.file(reopened(hosts_), "/etc/hosts", "0444");
  plan.file(reopened(nsswitch_), "/etc/nsswitch.conf", "0444");
  plan.file(reopened(init_), kInitPath, "0555");
  plan.add({"--perms", "1777", "--size", std::to_string(policy.limits.temporary_bytes), "--tmpfs",
            "/tmp", "--dir", "/var", "--symlink", "/tmp", "/var/tmp"});
  add_kernel_files(plan);
  add_working_copy(plan, policy, stand_ins_, launch);
  if (!launch.protected_paths.empty()) {
    launch.inherited[kTellingFilterFd - kFirstInherited] = reopened(broker_filter_);
  }
  plan.add({"--remount-ro", "/", "--", kInitPath});
  return launch;
}

Launch bare_launch(const Policy& policy) {
  Launch launch;
  launch.work_dir = policy.work_dir;
  launch.inherited.push_back(memory_file("dsv4-init", init_image()));
  launch.program = "/proc/self/fd/" + std::to_string(kFirstInherited);
  launch.argv = {"dsv4-init", "bare"};
  return launch;
}

std::string setup_advice(const std::string& complaint) {
  const auto says = [&](const char* words) { return complaint.find(words) != std::string::npos; };
  const auto read_number = [](const char* path) {
    std::ifstream file(path);
    long value = -1;
    file >> value;
    return value;
  };
  std::string fix;
  if (read_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1 &&
      ::geteuid() != 0) {
    fix =
        "AppArmor keeps ordinary programs from making user namespaces here (the default of Ubuntu "
        "24.04). Allow it for bubblewrap: apt install apparmor-profiles, then copy "
        "/usr/share/apparmor/extra-profiles/bwrap-userns-restrict to /etc/apparmor.d/ and run "
        "apparmor_parser -r on it; or for all: sysctl "
        "kernel.apparmor_restrict_unprivileged_userns=0.";
  } else if (read_number("/proc/sys/kernel/unprivileged_userns_clone") == 0) {
    fix = "User namespaces are switched off: sysctl kernel.unprivileged_userns_clone=1.";
  } else if (read_number("/proc/sys/user/max_user_namespaces") == 0) {
    fix = "User namespaces are switched off: sysctl user.max_user_namespaces=10000.";
  } else if (fs::exists("/.dockerenv") || fs::exists("/run/.containerenv")) {
    fix =
        "This is a container whose own rules forbid it. Start it with --security-opt "
        "seccomp=unconfined --security-opt apparmor=unconfined --security-opt "
        "systempaths=unconfined, or run this program outside of it.";
  } else if (says("Unknown option") || says("nknown option")) {
    fix = "This bubblewrap is too old: version 0.8 or newer is needed.";
  } else {
    fix = "Run dsv4-agent doctor to see what this machine allows.";
  }
  std::string said = complaint.substr(0, complaint.find_last_not_of(" \n") + 1);
  if (said.empty()) said = "bubblewrap ended without a word";
  return "The sandbox cannot be set up: " + said + ". " + fix;
}

}  // namespace dsv4::sandbox
