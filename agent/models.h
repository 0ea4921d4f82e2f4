#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace dsv4::agent {

// Bytes of memory of this machine, as /proc/meminfo has them; 0 where it cannot be read.
struct Memory {
  uint64_t total = 0;
  uint64_t available = 0;
};
Memory read_memory();

// A model directory, and whether it can be used here.
struct ModelRow {
  std::string source;  // why it is looked at: "embedded", "configuration" or "named"
  std::filesystem::path directory;
  std::string error;  // why it cannot be opened; the rest is then empty
  std::string name;
  int64_t window = 0;  // tokens
  int64_t layers = 0;
  int64_t experts = 0;  // in one layer
  uint64_t bytes = 0;   // of its files, which are mapped: what a turn reads of them has to fit

  bool fits(const Memory& memory) const { return error.empty() && bytes <= memory.available; }
};

// Opens the named model, else the embedded one. Never throws llm::Error: it is in the row.
ModelRow look_at_model(const std::optional<std::string>& named, std::string source);

}  // namespace dsv4::agent
