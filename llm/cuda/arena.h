#pragma once

#include <cstddef>
#include <cstdint>

namespace dsv4::llm {

// Hands out pieces of one range of a card's memory. What is laid out twice, first without memory
// and then with as much as that took, is known before anything is allocated.
class Arena {
 public:
  Arena() = default;
  explicit Arena(void* memory) : memory_(static_cast<std::byte*>(memory)) {}

  // For `count` numbers, aligned to 256 bytes; null without memory.
  template <class T>
  T* take(int64_t count) {
    constexpr int64_t kAligned = 256;
    std::byte* at = memory_ == nullptr ? nullptr : memory_ + used_;
    used_ += (count * static_cast<int64_t>(sizeof(T)) + kAligned - 1) / kAligned * kAligned;
    return reinterpret_cast<T*>(at);
  }

  bool has_memory() const { return memory_ != nullptr; }
  int64_t used() const { return used_; }

 private:
  std::byte* memory_ = nullptr;
  int64_t used_ = 0;
};

}  // namespace dsv4::llm
