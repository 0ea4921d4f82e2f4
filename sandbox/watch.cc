#include "sandbox/watch.h"

#include <sys/statvfs.h>

#include <algorithm>

#include "sandbox/process_tree.h"

namespace dsv4::sandbox {
namespace {

// Memory can be taken in ways that no process is charged for (files in memory that nobody maps):
// whoever brings the machine down to this is ended whatever it seems to use.
constexpr uint64_t kMachineReserveBytes = 96ull << 20;

}  // namespace

Watch::Watch(const Policy& policy, const Launch& box)
    : limits_(policy.limits),
      own_temporary_(box.own_processes),
      disk_(policy.work_dir, policy.limits.disk_bytes) {
  if (box.temporary) temporary_.emplace(box.temporary->path(), limits_.temporary_bytes);
}

// They are memory too.
uint64_t Watch::temporary_files_bytes(pid_t init) const {
  uint64_t sum = 0;
  for (const char* folder : {"/root/tmp", "/root/dev/shm"}) {
    struct statvfs files {};
    const std::string path = "/proc/" + std::to_string(init) + folder;
    if (!own_temporary_ || ::statvfs(path.c_str(), &files) != 0) continue;
    sum += uint64_t{files.f_blocks - files.f_bfree} * files.f_frsize;
  }
  return sum;
}

std::optional<End> Watch::exceeded(pid_t init, const Cgroup* cgroup) {
  const bool held = cgroup != nullptr && cgroup->limits_memory() && cgroup->limits_processes();
  if (!held) {
    const uint64_t in_files = temporary_files_bytes(init);
    const uint64_t for_processes = limits_.memory_bytes - std::min(in_files, limits_.memory_bytes);
    const TreeUse use = measure_tree(init, for_processes);
    if (use.memory_bytes > for_processes) return End::kOutOfMemory;
    if (use.threads > limits_.processes) return End::kTooManyProcesses;
    if (use.processor_time > limits_.processor_time) return End::kOutOfProcessorTime;
  }
  const auto counted = cgroup != nullptr ? cgroup->processor_time() : std::nullopt;
  if (counted && *counted > limits_.processor_time) return End::kOutOfProcessorTime;
  if (memory_available() < kMachineReserveBytes) return End::kOutOfMemory;
  if (disk_.exceeded() || (temporary_ && temporary_->exceeded())) return End::kDiskFull;
  return std::nullopt;
}

}  // namespace dsv4::sandbox
