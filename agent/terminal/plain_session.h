#pragma once

#include <iosfwd>

#include "agent/terminal/chat_opener.h"

namespace dsv4::agent::terminal {

struct PlainOptions {
  bool person = false;     // somebody types the input, line by line, and can be asked
  bool each_line = false;  // every line is a message; else the text between two commands is one
  bool colour = false;
};

// A session without a terminal to draw on: reads standard input, writes whole lines to `out` and
// what went wrong to `err`. A line that begins with a slash and a word is a command. An interrupt
// stops what a person has asked for and ends everything else. The exit code: that of the last
// message that did not end well, else 0.
int run_plain(const ChatOpener& chats, const PlainOptions& plain, std::ostream& out,
              std::ostream& err);

}  // namespace dsv4::agent::terminal
