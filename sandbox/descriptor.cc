#include "sandbox/descriptor.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "sandbox/sandbox.h"

namespace dsv4::sandbox {

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Descriptor::reset() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Descriptor owned(int fd, const std::string& what) {
  if (fd < 0) throw SetupError(what + ": " + std::generic_category().message(errno));
  return Descriptor(fd);
}

Descriptor memory_file(const char* name, std::string_view bytes) {
  Descriptor file = owned(::memfd_create(name, MFD_CLOEXEC), "cannot make a file in memory");
  while (!bytes.empty()) {
    const ssize_t n = ::write(file.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    owned(n <= 0 ? -1 : ::dup(file.get()), "cannot fill a file in memory");
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

Descriptor reopened(const Descriptor& file) {
  const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  return owned(::open(path.c_str(), O_RDONLY | O_CLOEXEC), "cannot reopen a file in memory");
}

}  // namespace dsv4::sandbox
