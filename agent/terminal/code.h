#pragma once

#include <string_view>

#include "agent/terminal/line.h"
#include "tools/syntax.h"

namespace dsv4::agent::terminal {

inline constexpr size_t kMostColoured = 64 << 10;  // bytes

// The source in lines, coloured where a grammar is there and it is not over kMostColoured. Lines
// from the `from`-th (0 is the first) on only: what comes before it decides what it means.
Lines code_lines(tools::Language language, std::string_view source, size_t from = 0);

// A git patch in lines.
Lines patch_lines(std::string_view patch);

}  // namespace dsv4::agent::terminal
