#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>

namespace dsv4::sandbox {

// What a process and all its descendants use at one moment.
struct TreeUse {
  uint64_t threads = 0;       // alive, of all processes; the root is not counted
  uint64_t memory_bytes = 0;  // an upper bound, see measure_tree()
  // Used by those alive and by their children that have ended, the root's too. Children that
  // somebody declined to wait for are missing.
  std::chrono::milliseconds processor_time{0};
};

// Walks the tree under `root` through /proc; processes that come or go meanwhile may be missed.
// Memory is the sum of resident sizes, which counts shared pages once for each process; where that
// is over `memory_limit` it is measured again with shared pages split among their owners.
TreeUse measure_tree(pid_t root, uint64_t memory_limit);

// What the machine can still give without swapping; the largest number where it does not say.
uint64_t memory_available();

}  // namespace dsv4::sandbox
