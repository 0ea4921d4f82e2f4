#include "sandbox/disk_watch.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <system_error>
#include <utility>

namespace fs = std::filesystem;

namespace dsv4::sandbox {
namespace {

constexpr uint64_t kMaxFiles = 1'000'000;
constexpr uint64_t kAlmostFullBytes = 64ull << 20;
constexpr uint64_t kBlock = 512;  // of st_blocks, whatever the file system's own

uint64_t grown(uint64_t free_before, uint64_t free_now) {
  return free_before > free_now ? free_before - free_now : 0;
}

}  // namespace

DiskWatch::DiskWatch(fs::path folder, uint64_t limit_bytes)
    : folder_(std::move(folder)),
      limit_(limit_bytes),
      started_(std::time(nullptr)),
      at_start_(free_now()),
      look_at_bytes_(limit_bytes),
      look_at_files_(kMaxFiles) {}

DiskWatch::Free DiskWatch::free_now() const {
  struct statvfs disk {};
  if (::statvfs(folder_.c_str(), &disk) != 0) return {0, 0};
  return {uint64_t{disk.f_bavail} * disk.f_frsize, uint64_t{disk.f_ffree}};
}

// Files whose status changed since the start: ctime, unlike mtime, cannot be set back.
DiskWatch::Written DiskWatch::written() const {
  Written sum;
  std::error_code error;
  constexpr auto kOptions = fs::directory_options::none;
  auto at = fs::recursive_directory_iterator(folder_, kOptions, error);
  for (const fs::recursive_directory_iterator end; !error && at != end; at.increment(error)) {
    struct stat file {};
    if (::lstat(at->path().c_str(), &file) != 0 || file.st_ctime < started_) continue;
    sum.bytes += static_cast<uint64_t>(file.st_blocks) * kBlock;
    ++sum.files;
  }
  sum.complete = !error;
  return sum;
}

bool DiskWatch::exceeded() {
  const Free now = free_now();
  const uint64_t bytes = grown(at_start_.bytes, now.bytes);
  const uint64_t files = grown(at_start_.files, now.files);
  const bool almost_full = now.bytes < kAlmostFullBytes && bytes >= limit_ / 16;
  if (bytes < look_at_bytes_ && files < look_at_files_ && !almost_full) return false;
  const Written ours = written();
  if (ours.bytes > limit_ || ours.files > kMaxFiles) return true;
  if (almost_full && ours.bytes >= limit_ / 16) return true;
  // A tree made unreadable, or files deleted while open, hide what was written.
  constexpr uint64_t kHiddenFactor = 2;
  if (bytes > limit_ && (!ours.complete || bytes > kHiddenFactor * limit_)) return true;
  look_at_bytes_ = bytes + (limit_ - ours.bytes);
  look_at_files_ = files + (kMaxFiles - ours.files);
  return false;
}

}  // namespace dsv4::sandbox
