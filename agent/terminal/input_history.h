#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace dsv4::agent::terminal {

// The messages that were sent in sessions of this user, one JSON string a line. Several programs
// may add to it at once. Where it cannot be read or written, nothing is remembered.
class InputHistory {
 public:
  explicit InputHistory(std::filesystem::path file) : file_(std::move(file)) {}

  // Oldest first, at most kMost. A file that has grown far beyond that is cut to it.
  std::vector<std::string> load() const;
  void add(const std::string& message) const;

  static constexpr size_t kMost = 1000;

 private:
  std::filesystem::path file_;
};

}  // namespace dsv4::agent::terminal
