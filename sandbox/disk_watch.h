#pragma once

#include <cstdint>
#include <ctime>
#include <filesystem>

namespace dsv4::sandbox {

// Watches how much the files under a folder grow from the moment this is made. Asking is cheap (one
// call) until the whole file system has grown by the limit; only then are the files looked at,
// since others write to the same disk.
class DiskWatch {
 public:
  DiskWatch(std::filesystem::path folder, uint64_t limit_bytes);

  // True when files written since are over the limit in bytes, or number over a million, or when
  // they are at least a sixteenth of it and leave the disk (almost) full.
  bool exceeded();

 private:
  struct Free {
    uint64_t bytes;
    uint64_t files;
  };
  struct Written {
    uint64_t bytes = 0;
    uint64_t files = 0;
    bool complete = true;  // false where a folder could not be read
  };
  Free free_now() const;
  Written written() const;

  std::filesystem::path folder_;
  uint64_t limit_;
  std::time_t started_;
  Free at_start_;
  uint64_t look_at_bytes_;  // growth of the file system at which to look at the files again
  uint64_t look_at_files_;
};

}  // namespace dsv4::sandbox
