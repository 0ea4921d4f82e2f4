#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "agent/terminal/editor.h"
#include "agent/terminal/line.h"
#include "agent/terminal/screen.h"

namespace dsv4::agent::terminal {

// What the lower end of the terminal shows, before it is known how large that is.
struct Scene {
  Lines begun;                          // of a text that grows
  std::optional<Line> activity;         // what goes on; nothing when nothing does
  std::vector<std::string> queued;      // messages that wait
  Lines hints;                          // what could be typed; below it
  Line mode;                            // the line above the message
  std::optional<std::string> question;  // in place of the message
  LineEditor::Text message;
};

// Fits the scene into the rows there are. The row of the cursor and the mode line come first; then
// what goes on, then what waits, the hints, and the end of the text.
Screen::Picture picture_of(const Scene& scene, Size size);

}  // namespace dsv4::agent::terminal
