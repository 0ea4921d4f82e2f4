#include "sandbox/cgroup.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "sandbox/descriptor.h"
#include "sandbox/sandbox.h"

namespace fs = std::filesystem;

namespace dsv4::sandbox {
namespace {

constexpr const char* kPrefix = "dsv4-";  // then the maker's process id

bool write_to(const fs::path& file, const std::string& text) {
  const Descriptor open(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  return open && ::write(open.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool has_word(const fs::path& file, const std::string& wanted) {
  std::ifstream words(file);
  for (std::string word; words >> word;) {
    if (word == wanted) return true;
  }
  return false;
}

// The mount point of the version 2 tree, and which part of the tree it shows.
struct Tree {
  fs::path mounted_at;
  fs::path root;
};
std::optional<Tree> find_tree(const fs::path& mounts) {
  std::ifstream lines(mounts);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" - cgroup2 ") == std::string::npos) continue;
    std::istringstream words(line);
    std::string skipped;
    Tree tree;
    words >> skipped >> skipped >> skipped >> tree.root >> tree.mounted_at;
    return tree;
  }
  return std::nullopt;
}

std::optional<fs::path> own_group(const fs::path& own) {
  std::ifstream lines(own);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("0::", 0) == 0) return fs::path(line.substr(3));
  }
  return std::nullopt;
}

// Groups below `folder` have a controller when it is switched on there; where it is not but could
// be, that is tried (the kernel refuses it to a group that holds processes itself).
bool controls(const fs::path& folder, const std::string& controller) {
  if (has_word(folder / "cgroup.subtree_control", controller)) return true;
  return has_word(folder / "cgroup.controllers", controller) &&
         write_to(folder / "cgroup.subtree_control", "+" + controller);
}

}  // namespace

std::optional<CgroupPlace> find_cgroup_place(const fs::path& mounts, const fs::path& own) {
  const std::optional<Tree> tree = find_tree(mounts);
  const std::optional<fs::path> group = own_group(own);
  if (!tree || !group) return std::nullopt;
  const fs::path below = group->lexically_relative(tree->root);
  if (below.empty() || *below.begin() == "..") return std::nullopt;
  std::optional<CgroupPlace> nearest;
  fs::path folder = (tree->mounted_at / below).lexically_normal();
  for (;; folder = folder.parent_path()) {
    // Moving a process needs the common ancestor's list too, which is this one.
    if (::access(folder.c_str(), W_OK) != 0 ||
        ::access((folder / "cgroup.procs").c_str(), W_OK) != 0) {
      break;
    }
    const CgroupPlace place{folder, controls(folder, "memory"), controls(folder, "pids")};
    if (place.memory && place.processes) return place;
    if (!nearest) nearest = place;
    if (folder == tree->mounted_at) break;
  }
  return nearest;
}

void remove_old_groups(const CgroupPlace& place) {
  std::error_code error;
  std::vector<fs::path> old;
  for (const fs::directory_entry& entry : fs::directory_iterator(place.folder, error)) {
    const std::string name = entry.path().filename();
    if (name.rfind(kPrefix, 0) != 0) continue;
    const pid_t maker = std::atoi(name.c_str() + std::string_view(kPrefix).size());
    if (maker > 0 && ::kill(maker, 0) != 0 && errno == ESRCH) old.push_back(entry.path());
  }
  for (const fs::path& folder : old) ::rmdir(folder.c_str());  // fails while something is in it
}

Cgroup::Cgroup(const CgroupPlace& place, const Limits& limits) : place_(place) {
  static std::atomic<uint64_t> made = 0;
  folder_ = place.folder / (kPrefix + std::to_string(::getpid()) + "-" + std::to_string(++made));
  constexpr mode_t kMode = 0755;
  if (::mkdir(folder_.c_str(), kMode) != 0) {
    throw SetupError("cannot make the cgroup " + folder_.string() + ": " +
                     std::generic_category().message(errno));
  }
  const uint64_t kInit = 2;  // the box's first program and its helper
  bool good = true;
  if (place.memory) {
    good =
        write("memory.max", std::to_string(limits.memory_bytes)) && write("memory.oom.group", "1");
    write("memory.swap.max", "0");  // absent where there is no swap
  }
  if (place.processes) {
    good = write("pids.max", std::to_string(limits.processes + kInit)) && good;
  }
  if (good) return;
  ::rmdir(folder_.c_str());
  throw SetupError("cannot set the limits of the cgroup " + folder_.string());
}

// The kernel lets a group go once what was in it is gone for good, which takes a moment after a
// kill.
Cgroup::~Cgroup() {
  if (::rmdir(folder_.c_str()) == 0) return;
  kill();
  const Descriptor events(::open((folder_ / "cgroup.events").c_str(), O_RDONLY | O_CLOEXEC));
  constexpr int kPatience = 2000;  // milliseconds
  constexpr int kPause = 5;
  for (int waited = 0; waited < kPatience; waited += kPause) {
    if (::rmdir(folder_.c_str()) == 0 || errno != EBUSY) return;
    pollfd change{events.get(), POLLPRI, 0};
    ::poll(&change, 1, kPause);
  }
}

bool Cgroup::add(pid_t process) { return write("cgroup.procs", std::to_string(process)); }
void Cgroup::kill() { write("cgroup.kill", "1"); }

bool Cgroup::ran_out_of_memory() const { return number("memory.events", "oom_kill") > 0u; }

std::optional<std::chrono::microseconds> Cgroup::processor_time() const {
  const std::optional<uint64_t> used = number("cpu.stat", "usage_usec");
  if (!used) return std::nullopt;
  return std::chrono::microseconds(*used);
}

bool Cgroup::write(const char* file, const std::string& text) const {
  return write_to(folder_ / file, text);
}

std::optional<uint64_t> Cgroup::number(const char* file, const std::string& field) const {
  std::ifstream words(folder_ / file);
  for (std::string name; words >> name;) {
    uint64_t value = 0;
    if (words >> value && name == field) return value;
  }
  return std::nullopt;
}

}  // namespace dsv4::sandbox
