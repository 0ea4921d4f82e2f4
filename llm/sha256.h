#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace dsv4::llm {

using Digest = std::array<uint8_t, 32>;

// SHA-256 (FIPS 180-4) of everything that was added.
class Sha256 {
 public:
  Sha256& add(std::span<const uint8_t> bytes);
  Digest finish();

 private:
  void block(const uint8_t* bytes);

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> open_{};  // the block that is not full yet
  uint64_t length_ = 0;
};

std::string to_hex(const Digest& digest);

}  // namespace dsv4::llm
