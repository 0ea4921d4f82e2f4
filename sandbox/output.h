#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace dsv4::sandbox {

// Keeps the beginning and the end of a stream of any length in a fixed amount of memory.
class KeptOutput {
 public:
  explicit KeptOutput(uint64_t limit);

  void add(std::string_view bytes);
  uint64_t total() const { return total_; }
  bool cut() const { return total_ > limit_; }

  // The whole stream, or its head, a line that says how much was cut, and its tail.
  std::string text() const;

 private:
  uint64_t limit_;
  uint64_t total_ = 0;
  std::string head_;
  std::string tail_;      // ring: the last tail_limit_ bytes after the head
  uint64_t tail_at_ = 0;  // where the next byte of the ring goes
  uint64_t tail_limit_;
};

}  // namespace dsv4::sandbox
