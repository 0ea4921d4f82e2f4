#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include "agent/terminal/line.h"

namespace dsv4::agent::terminal {

struct Size {
  size_t rows = 24;
  size_t columns = 80;
};

// The lower end of a terminal: lines that stay scroll up into the terminal's own history, and below
// them is a picture that is drawn anew as it changes. Any ANSI terminal will do; one write for each
// draw. The thread must be a Utf8Thread.
class Screen {
 public:
  Screen(int fd, Size size, bool colour) : fd_(fd), size_(size), colour_(colour) {}

  // Below everything that stays: each line in one row, cut where it is too long, and the cursor.
  struct Picture {
    Lines rows;
    size_t cursor_row = 0;
    size_t cursor_column = 0;
  };

  // Before the first draw, and to go on where the cursor is, after leave() or when this program
  // was stopped and others have written.
  void enter(Size size);

  // Goes above the picture with the next draw().
  void add(Lines lines);

  // At most size().rows rows of the picture.
  void draw(Picture picture);

  // The terminal has another size. Where the lines above the picture cannot be as they were, the
  // last of them are shown anew.
  void resize(Size size);

  // Something else was written to the terminal: shows the last lines anew.
  void repaint();

  // Takes the picture away: what comes next begins in a fresh row.
  void leave();

  Size size() const { return size_; }

 private:
  void write(const std::string& text);
  size_t append_rows(const Line& line, std::string* out) const;
  size_t append_added(std::string* out);
  void append_last_lines(size_t picture_rows, std::string* out);

  int fd_;
  Size size_;
  bool colour_;
  Lines added_;
  std::deque<Line> kept_;  // the last lines, to show them anew
  size_t cursor_row_ = 0;  // in the picture that is drawn
  size_t drawn_rows_ = 0;
  bool from_scratch_ = false;
};

}  // namespace dsv4::agent::terminal
