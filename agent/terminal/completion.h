#pragma once

#include <string>
#include <vector>

#include "agent/terminal/editor.h"
#include "agent/terminal/line.h"

namespace dsv4::agent::terminal {

// What Tab may put at the cursor: after @, the next part of a path, or every path whose file name
// holds what was typed where none begins with it; after a slash at the front, a command. `paths`
// are the repository's files.
Completion complete_input(const std::string& text, size_t cursor,
                          const std::vector<std::string>& paths);

// The same as lines to be shown while somebody types, a few at most; and of a command that is
// there, what it takes.
Lines suggestions(const std::string& text, size_t cursor, const std::vector<std::string>& paths);

}  // namespace dsv4::agent::terminal
