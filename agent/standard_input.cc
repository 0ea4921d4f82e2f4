#include "agent/standard_input.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "agent/error.h"

namespace dsv4::agent {

DescriptorInput::DescriptorInput(int fd, std::stop_token cancel)
    : std::istream(nullptr), buffer_(fd, std::move(cancel)) {
  rdbuf(&buffer_);
}

DescriptorInput::Buffer::int_type DescriptorInput::Buffer::underflow() {
  constexpr int kLookAtCancel = 100;  // ms
  while (!cancel_.stop_requested()) {
    pollfd entry{fd_, POLLIN, 0};
    const int ready = ::poll(&entry, 1, kLookAtCancel);
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const ssize_t bytes = ::read(fd_, block_.data(), block_.size());
    if (bytes == 0) break;
    if (bytes > 0) {
      setg(block_.data(), block_.data(), block_.data() + bytes);
      return traits_type::to_int_type(block_[0]);
    }
    if (errno != EINTR && errno != EAGAIN) {  // the stream turns this into its bad bit
      throw std::system_error(errno, std::generic_category());
    }
  }
  return traits_type::eof();
}

// Not std::cin: it takes a failed read for the end of the input.
std::string read_standard_input(std::string_view command) {
  std::string text;
  std::array<char, 1 << 16> block;
  while (true) {
    const ssize_t bytes = ::read(STDIN_FILENO, block.data(), block.size());
    if (bytes == 0) return text;
    if (bytes > 0) {
      text.append(block.data(), static_cast<size_t>(bytes));
    } else if (errno != EINTR) {
      throw UsageError(std::string(command) +
                       ": standard input cannot be read: " + std::strerror(errno));
    }
  }
}

}  // namespace dsv4::agent
