#include "sandbox/limits.h"

#include <stdexcept>

namespace dsv4::sandbox {

void check(const Limits& limits) {
  if (limits.wall_time.count() <= 0)
    throw std::invalid_argument("limit wall_time must be positive");
  if (limits.processor_time.count() <= 0) {
    throw std::invalid_argument("limit processor_time must be positive");
  }
  if (limits.memory_bytes == 0) throw std::invalid_argument("limit memory_bytes must be positive");
  if (limits.processes == 0) throw std::invalid_argument("limit processes must be positive");
  if (limits.file_bytes == 0) throw std::invalid_argument("limit file_bytes must be positive");
  if (limits.disk_bytes == 0) throw std::invalid_argument("limit disk_bytes must be positive");
  if (limits.temporary_bytes == 0) {
    throw std::invalid_argument("limit temporary_bytes must be positive");
  }
  if (limits.kept_output_bytes < 1024) {
    throw std::invalid_argument("limit kept_output_bytes must be at least 1024");
  }
}

}  // namespace dsv4::sandbox
