#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

// What libFuzzer and replay_main.cc call with one input. A target returns for every input, good or
// bad; a crash, an exception it does not expect, a hang or require(false) is a find.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace dsv4::fuzz {

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline void require(bool holds, std::string_view what) {
  if (holds) return;
  std::cerr << "does not hold: " << what << '\n';
  std::abort();
}

}  // namespace dsv4::fuzz
