#pragma once

#include <termios.h>

#include "agent/terminal/screen.h"
#include "tools/descriptor.h"

namespace dsv4::agent::terminal {

// The terminal at a standard stream, opened once more: what is set for this descriptor does not
// change the streams that other programs share.
tools::Descriptor open_terminal(int stream);

Size size_of_terminal(int fd);

// Puts the terminal's modes back at the end, as they were when this was made.
class TerminalModes {
 public:
  explicit TerminalModes(int fd);
  ~TerminalModes();
  TerminalModes(const TerminalModes&) = delete;
  TerminalModes& operator=(const TerminalModes&) = delete;

  // What this program has set since: to be taken again when it goes on after it was stopped.
  void remember();

  // For another program, such as the shell that this one is stopped for: as they were, and then as
  // they were remembered.
  void lend();
  void take_again();

 private:
  int fd_;
  termios before_{};
  termios own_{};
};

}  // namespace dsv4::agent::terminal
