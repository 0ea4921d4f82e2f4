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
constexpr const char* kClearRow = "\x1b[2K";
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

// How many rows there were.
size_t Screen::append_rows(const Line& line, std::string* out) const {
  const Lines rows = rows_of(line, size_.columns);
  for (const Line& row : rows) *out += kClearRow + coded(row, colour_) + "\r\n";
  return rows.size();
}

// To the first row of the picture, and what goes above it there.
size_t Screen::append_added(std::string* out) {
  *out += "\r" + moved(cursor_row_, 'A');
  cursor_row_ = 0;
  size_t rows = 0;
  for (const Line& line : added_) rows += append_rows(line, out);
  added_.clear();
  return rows;
}

// As many of the last lines as fit above the picture.
void Screen::append_last_lines(size_t picture_rows, std::string* out) {
  const size_t room = size_.rows - std::min(size_.rows, picture_rows);
  size_t first = kept_.size();
  for (size_t rows = 0; first > 0; --first) {
    rows += rows_of(kept_[first - 1], size_.columns).size();
    if (rows > room) break;
  }
  for (; first < kept_.size(); ++first) append_rows(kept_[first], out);
}

// Each row is cleared when it is written: some terminals take the clearing of everything below the
// cursor for a page that is to be kept, when the cursor is at the very top.
void Screen::draw(Picture picture) {
  std::string out = kHideCursor;
  size_t rows = picture.rows.size();
  if (from_scratch_) {
    out += kClearAll;
    append_last_lines(rows, &out);
    added_.clear();
    drawn_rows_ = 0;
    from_scratch_ = false;
  } else {
    rows += append_added(&out);
  }
  for (size_t row = 0; row < picture.rows.size(); ++row) {
    Line line = std::move(picture.rows[row]);
    line.fold(Line::Fold::kClip);
    out += (row > 0 ? "\r\n" : "") + std::string(kClearRow) +
           coded(rows_of(line, size_.columns).front(), colour_);
  }
  const size_t left = drawn_rows_ - std::min(drawn_rows_, rows);  // of the last picture, below
  for (size_t row = 0; row < left; ++row) out += std::string("\r\n") + kClearRow;
  drawn_rows_ = picture.rows.size();
  const size_t last = picture.rows.empty() ? 0 : picture.rows.size() - 1;
  cursor_row_ = std::min(picture.cursor_row, last);
  out += moved(left + last - cursor_row_, 'A') + "\r" + moved(picture.cursor_column, 'C') +
         kShowCursor;
  write(out);
}

void Screen::enter(Size size) {
  size_ = size;
  cursor_row_ = 0;
  drawn_rows_ = 0;
  write(std::string("\r") + kMarkPastes);
}

void Screen::resize(Size size) {
  const bool as_it_was = size.columns == size_.columns && drawn_rows_ < size.rows;
  size_ = size;
  from_scratch_ = from_scratch_ || !as_it_was;
}

void Screen::repaint() { from_scratch_ = true; }

void Screen::leave() {
  std::string out;
  const size_t rows = append_added(&out);
  const size_t left = drawn_rows_ - std::min(drawn_rows_, rows);
  for (size_t row = 0; row < left; ++row) out += (row > 0 ? "\r\n" : "") + std::string(kClearRow);
  out += "\r" + moved(left - std::min<size_t>(left, 1), 'A');
  drawn_rows_ = 0;
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
