#pragma once

#include <locale.h>

#include <cstddef>
#include <string_view>

#include "agent/terminal/line.h"

namespace dsv4::agent::terminal {

// While it lives, this thread takes text for UTF-8 whatever the environment says: the C library
// then knows how wide characters are. Terminals of today are UTF-8, also where LANG is not set.
class Utf8Thread {
 public:
  Utf8Thread();
  ~Utf8Thread();
  Utf8Thread(const Utf8Thread&) = delete;
  Utf8Thread& operator=(const Utf8Thread&) = delete;

 private:
  locale_t locale_;
  locale_t before_;
};

// Cells that printable text takes: 2 for wide characters, 0 for combining ones.
size_t cells(std::string_view text);

// The line in rows of at most `columns` cells, as it wants to be folded; at least one row.
Lines rows_of(const Line& line, size_t columns);

}  // namespace dsv4::agent::terminal
