#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "sandbox/disk_watch.h"
#include "sandbox/launcher.h"
#include "sandbox/sandbox.h"

namespace dsv4::sandbox {

// Looks, now and then, whether a running command is over the limits that the kernel does not hold
// by itself: memory of the whole process tree, growth of the working copy and, for user 0, whom the
// kernel exempts, the number of processes.
class Watch {
 public:
  Watch(const Policy& policy, const Launch& box);

  // init: the process above the command's, as seen from here.
  // cgroup: what the kernel counts and holds for us; may be null.
  std::optional<End> exceeded(pid_t init, const Cgroup* cgroup);

 private:
  uint64_t temporary_files_bytes(pid_t init) const;

  Limits limits_;
  bool own_temporary_;  // the box's /tmp and /dev/shm are file systems of its own
  DiskWatch disk_;
  std::optional<DiskWatch> temporary_;  // of a box whose /tmp is a folder of this machine
};

}  // namespace dsv4::sandbox
