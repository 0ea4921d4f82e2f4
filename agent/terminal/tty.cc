#include "agent/terminal/tty.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace dsv4::agent::terminal {

tools::Descriptor open_terminal(int stream) {
  const std::string link = "/proc/self/fd/" + std::to_string(stream);
  int fd = ::open(link.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) fd = ::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) {
    throw std::runtime_error(std::string("cannot open the terminal: ") + std::strerror(errno));
  }
  return tools::Descriptor(fd);
}

Size size_of_terminal(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return {};
  return {size.ws_row, size.ws_col};
}

TerminalModes::TerminalModes(int fd) : fd_(fd) {
  if (::tcgetattr(fd_, &before_) != 0) {
    throw std::runtime_error(std::string("cannot read the terminal's modes: ") +
                             std::strerror(errno));
  }
}

TerminalModes::~TerminalModes() { ::tcsetattr(fd_, TCSADRAIN, &before_); }

void TerminalModes::remember() { ::tcgetattr(fd_, &own_); }

void TerminalModes::lend() {
  remember();
  ::tcsetattr(fd_, TCSADRAIN, &before_);
}

void TerminalModes::take_again() { ::tcsetattr(fd_, TCSADRAIN, &own_); }

}  // namespace dsv4::agent::terminal
