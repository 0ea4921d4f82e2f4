#pragma once

#include <cstdint>

#include "agent/terminal/line.h"

namespace dsv4::agent::terminal {

// What the model's context holds.
struct Meter {
  int64_t tokens = 0;
  int64_t window = 0;
  int64_t bytes = 0;  // of state; 0: not known
};

// Where a person sees a session: a terminal whose lower end changes, or plain lines in a pipe.
class Display {
 public:
  virtual ~Display() = default;

  // Lines that stay.
  virtual void add(Lines lines) = 0;
  // The end of a text that still grows, below everything that stays. Replaces what was there.
  virtual void begun(Lines /*lines*/) {}
  // What is going on now, in one row; an empty line when nothing is. Replaces what was there.
  virtual void activity(Line /*line*/) {}
  virtual void meter(const Meter& /*meter*/) {}
};

}  // namespace dsv4::agent::terminal
