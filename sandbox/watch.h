#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "sandbox/disk_watch.h"
#include "sandbox/sandbox.h"

namespace dsv4::sandbox {

// Looks, now and then, whether a running command is over the limits that the kernel does not hold
// by itself: memory of the whole process tree, growth of the working copy and, for user 0, whom the
// kernel exempts, the number of processes.
class Watch {
 public:
  explicit Watch(const Policy& policy);

  // init: the process above the command's, as seen from here.
  std::optional<End> exceeded(pid_t init);

 private:
  uint64_t temporary_files_bytes(pid_t init) const;

  Limits limits_;
  bool boxed_;
  DiskWatch disk_;
};

}  // namespace dsv4::sandbox
