#include "agent/terminal/picture.h"

#include <algorithm>

#include "agent/printable.h"
#include "agent/terminal/cells.h"

namespace dsv4::agent::terminal {
namespace {

constexpr std::string_view kPrompt = "> ";
constexpr std::string_view kContinued = "  ";
constexpr size_t kMostQueued = 3;

// The message in rows, and where in them the cursor is.
struct Input {
  Lines rows;
  size_t row = 0;
  size_t column = 0;
};

Input input_rows(const LineEditor::Text& text, size_t columns) {
  const size_t room = std::max<size_t>(columns, 4) - 1;  // the cursor has a cell behind the text
  Input input;
  input.rows.emplace_back(kPrompt, Style::kStrong);
  size_t column = kPrompt.size();
  const auto next_row = [&] {
    input.rows.emplace_back(kContinued);
    column = kContinued.size();
  };
  for (size_t at = 0; at <= text.bytes.size();) {
    const std::string_view rest = std::string_view(text.bytes).substr(at);
    const std::string_view character = rest.substr(0, std::max<size_t>(1, utf8_length(rest)));
    const bool newline = character == "\n";
    const std::string shown = newline ? "" : printable(character == "\t" ? " " : character);
    const size_t width = cells(shown);
    if (column + width > room) next_row();
    if (at == text.cursor) {
      input.row = input.rows.size() - 1;
      input.column = column;
    }
    if (character.empty()) break;
    if (newline) {
      next_row();
    } else {
      input.rows.back().add(shown);
      column += width;
    }
    at += character.size();
  }
  return input;
}

void append(Lines& rows, Lines more) {
  for (Line& row : more) rows.push_back(std::move(row));
}

// The last of the rows that all the lines take.
Lines last_rows(const Lines& lines, size_t columns, size_t count) {
  Lines rows;
  for (const Line& line : lines) append(rows, rows_of(line, columns));
  if (rows.size() > count) {
    rows.erase(rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(count));
  }
  return rows;
}

}  // namespace

Screen::Picture picture_of(const Scene& scene, Size size) {
  Input input;
  if (scene.question) {
    input.rows = rows_of(Line(*scene.question, Style::kStrong).fold(Line::Fold::kWords),
                         std::max<size_t>(size.columns, 4) - 1);
    input.row = input.rows.size() - 1;
    input.column = cells(input.rows.back().text());
  } else {
    input = input_rows(scene.message, size.columns);
  }
  // One row is left to the transcript, and the first row of a picture may be at the very top.
  size_t room = std::max<size_t>(size.rows, 3) - 1;
  const size_t most_input = std::max<size_t>(1, room / 2);
  if (input.rows.size() > most_input) {  // a window around the cursor
    const size_t first =
        std::min(input.row - std::min(input.row, most_input - 1), input.rows.size() - most_input);
    const size_t from = input.row >= first + most_input ? input.row + 1 - most_input : first;
    input.rows = Lines(input.rows.begin() + static_cast<std::ptrdiff_t>(from),
                       input.rows.begin() + static_cast<std::ptrdiff_t>(from + most_input));
    input.row -= from;
  }
  room -= std::min(room, input.rows.size() + 1);  // and the mode line

  Lines around;
  if (scene.activity && room > 0) {
    around.push_back(*scene.activity);
    --room;
  }
  Lines waiting;
  for (const std::string& message : scene.queued) {
    if (waiting.size() == std::min(kMostQueued, room)) break;
    waiting.push_back(Line("queued: " + message, Style::kDim));
  }
  room -= waiting.size();
  const size_t hints = scene.question ? 0 : std::min(scene.hints.size(), room);
  room -= hints;

  Screen::Picture picture;
  picture.rows = last_rows(scene.begun, size.columns, room);
  append(picture.rows, std::move(around));
  append(picture.rows, std::move(waiting));
  picture.rows.push_back(scene.mode);
  picture.cursor_row = picture.rows.size() + input.row;
  picture.cursor_column = input.column;
  append(picture.rows, std::move(input.rows));
  append(picture.rows,
         Lines(scene.hints.begin(), scene.hints.begin() + static_cast<std::ptrdiff_t>(hints)));
  return picture;
}

}  // namespace dsv4::agent::terminal
