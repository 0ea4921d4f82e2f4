#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace dsv4::sandbox {

// Owns one file descriptor. Every descriptor made here is close-on-exec, so that programs started
// by other threads at the same moment do not inherit it.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { reset(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

// Throws SetupError saying `what` and the system's reason (errno) when fd is negative.
Descriptor owned(int fd, const std::string& what);

// A file in memory holding `bytes`, positioned at its start.
Descriptor memory_file(const char* name, std::string_view bytes);

// The same file with a position of its own: what is handed to a child must not share one.
Descriptor reopened(const Descriptor& file);

}  // namespace dsv4::sandbox
