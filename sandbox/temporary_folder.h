#pragma once

#include <filesystem>

namespace dsv4::sandbox {

// A new folder of our own (mode 0700) in the system's temporary folder, removed with everything in
// it at the end, even with what a command has made unreadable. Throws SetupError.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }  // absolute, without links

 private:
  std::filesystem::path path_;
};

}  // namespace dsv4::sandbox
