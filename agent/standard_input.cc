#include "agent/standard_input.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "agent/error.h"

namespace dsv4::agent {

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
