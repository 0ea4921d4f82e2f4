#pragma once

#include <chrono>
#include <cstdint>

namespace dsv4::sandbox {

// What one command may use. Every field is a hard limit.
struct Limits {
  std::chrono::milliseconds wall_time{std::chrono::minutes(10)};
  std::chrono::milliseconds processor_time{std::chrono::hours(8)};  // of all processes together
  uint64_t memory_bytes = 4ull << 30;                               // of the whole process tree
  uint64_t processes = 512;                // processes and threads alive at once
  uint64_t file_bytes = 1ull << 30;        // largest single file
  uint64_t disk_bytes = 4ull << 30;        // growth of the working copy
  uint64_t temporary_bytes = 1ull << 30;   // of the private /tmp
  uint64_t kept_output_bytes = 256 << 10;  // of stdout and stderr; head and tail are kept
};

// Throws std::invalid_argument naming the field that is zero or absurd.
void check(const Limits& limits);

}  // namespace dsv4::sandbox
