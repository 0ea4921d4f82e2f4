#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "sandbox/limits.h"

namespace dsv4::sandbox {

// Where this program may make cgroups (version 2), because it runs as user 0 or the system's
// manager delegated a part of the tree to this user.
struct CgroupPlace {
  std::filesystem::path folder;
  bool memory = false;     // groups made there count and limit memory
  bool processes = false;  // and processes
};

// The nearest place above this program's own group, one that limits memory if there is one. The
// arguments are the files of /proc and the tree's mount point, for tests.
std::optional<CgroupPlace> find_cgroup_place(
    const std::filesystem::path& mounts = "/proc/self/mountinfo",
    const std::filesystem::path& own = "/proc/self/cgroup");

// Removes the groups of programs that were killed before they could do so.
void remove_old_groups(const CgroupPlace& place);

// One command's group. What is in it is killed, and the group removed, at the end.
class Cgroup {
 public:
  // Throws SetupError when the group cannot be made or limited after all.
  Cgroup(const CgroupPlace& place, const Limits& limits);
  ~Cgroup();
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;

  bool add(pid_t process);  // and what it will start; false when the kernel refuses
  void kill();              // everything in it, at once

  bool limits_memory() const { return place_.memory; }
  bool limits_processes() const { return place_.processes; }
  bool ran_out_of_memory() const;  // something was killed for it
  // What all that was ever in it has used; empty where the kernel does not say.
  std::optional<std::chrono::microseconds> processor_time() const;

 private:
  bool write(const char* file, const std::string& text) const;
  std::optional<uint64_t> number(const char* file, const std::string& field) const;

  CgroupPlace place_;
  std::filesystem::path folder_;
};

}  // namespace dsv4::sandbox
