#pragma once

#include <string>
#include <vector>

#include "agent/chat.h"
#include "agent/config_file.h"

namespace dsv4::agent::terminal {

// The command line of a session.
struct InteractiveOptions {
  ChatOptions chat;
  std::optional<std::string> resume;      // a session to go on with; of `chat` only hooks count
  BoxFlags box;                           // as typed
  KeySource key;                          // of an endpoint
  std::optional<std::string> key_is_for;  // this URL only; else for the one that was asked for
  bool each_line = false;  // without a terminal: every line is a message, not all of the input
  bool help = false;
};

// The command line, over what the user's configuration says. Throws UsageError for anything that is
// not as interactive_help() says.
InteractiveOptions parse_interactive_arguments(const std::vector<std::string>& arguments,
                                               const UserConfig& config = {});
std::string interactive_help();

// Runs a session to its end: drawn on a terminal, or as plain lines where standard input or output
// is none, or the terminal is a dumb one. Returns the exit code. Throws what opening the session
// throws: UsageError, llm::Error, sandbox::SetupError.
int run_interactive(const InteractiveOptions& options, const ChatModelOpener& open);

}  // namespace dsv4::agent::terminal
