#include "agent/terminal/screen.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "agent/terminal/cells.h"

namespace dsv4::agent::terminal {
namespace {

constexpr size_t kKept = 1000;
constexpr const char* kHideCursor = "\x1b[?25l";
constexpr const char* kShowCursor = "\x1b[?25h";
constexpr const char* kMarkPastes = "\x1b[?2004h";  // what is pasted is told from what is typed
constexpr const char* kDoNotMarkPastes = "\x1b[?2004l";
constexpr const char* kClearBelow = "\x1b[J";
constexpr const char* kClearAll = "\x1b[H\x1b[2J";

std::string moved(size_t count, char direction) {
  return count == 0 ? std::string() : "\x1b[" + std::to_string(count) + direction;
}

}  // namespace

void Screen::add(Lines lines) {
  for (Line& line : lines) {
    kept_.push_back(line);
    added_.push_back(std::move(line));
  }
  while (kept_.size() > kKept) kept_.pop_front();
}

void Screen::append_rows(const Line& line, std::string* out) const {
  for (const Line& row : rows_of(line, size_.columns)) *out += coded(row, colour_) + "\r\n";
}

// To the first row of the picture, with nothing below.
std::string Screen::to_top() {
  std::string out = "\r" + moved(cursor_row_, 'A') + kClearBelow;
  cursor_row_ = 0;
  return out;
}

void Screen::draw(Picture picture) {
  std::string out = kHideCursor;
  if (from_scratch_) {
    out += kClearAll;
    cursor_row_ = 0;
    from_scratch_ = false;
    // As many of the last lines as fit above the picture.
    const size_t room = size_.rows - std::min(size_.rows, picture.rows.size());
    size_t first = kept_.size();
    for (size_t rows = 0; first > 0; --first) {
      rows += rows_of(kept_[first - 1], size_.columns).size();
      if (rows > room) break;
    }
    for (; first < kept_.size(); ++first) append_rows(kept_[first], &out);
  } else {
    out += to_top();
    for (const Line& line : added_) append_rows(line, &out);
  }
  added_.clear();
  for (size_t row = 0; row < picture.rows.size(); ++row) {
    Line line = std::move(picture.rows[row]);
    line.fold(Line::Fold::kClip);
    out += (row > 0 ? "\r\n" : "") + coded(rows_of(line, size_.columns).front(), colour_);
  }
  const size_t last = picture.rows.empty() ? 0 : picture.rows.size() - 1;
  cursor_row_ = std::min(picture.cursor_row, last);
  out += moved(last - cursor_row_, 'A') + "\r" + moved(picture.cursor_column, 'C') + kShowCursor;
  write(out);
}

void Screen::enter() { write(kMarkPastes); }

void Screen::repaint(Size size) {
  size_ = size;
  from_scratch_ = true;
}

void Screen::leave() {
  std::string out = to_top();
  for (const Line& line : added_) append_rows(line, &out);
  added_.clear();
  write(out + kShowCursor + kDoNotMarkPastes);
}

void Screen::write(const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t count = ::write(fd_, text.data() + done, text.size() - done);
    if (count >= 0) {
      done += static_cast<size_t>(count);
    } else if (errno == EAGAIN) {  // somebody who shares the terminal asked for that
      pollfd entry{fd_, POLLOUT, 0};
      ::poll(&entry, 1, -1);
    } else if (errno != EINTR) {
      return;  // the terminal is gone; the signal or the end of input will say so
    }
  }
}

}  // namespace dsv4::agent::terminal
