#include "agent/terminal/cells.h"

#include <wchar.h>

#include <algorithm>

#include "agent/printable.h"

namespace dsv4::agent::terminal {
namespace {

struct Cell {
  std::string_view text;  // one character
  size_t width = 1;
  Style style = Style::kPlain;
};

size_t width_of(std::string_view character) {
  if (character.size() == 1) return 1;
  auto code =
      static_cast<uint32_t>(static_cast<uint8_t>(character[0])) & (0xffu >> (character.size() + 1));
  for (size_t i = 1; i < character.size(); ++i) {
    code = (code << 6) | (static_cast<uint8_t>(character[i]) & 0x3fu);
  }
  const int width = ::wcwidth(static_cast<wchar_t>(code));
  return width < 0 ? 1 : static_cast<size_t>(width);
}

std::vector<Cell> cells_of(const Line& line) {
  std::vector<Cell> out;
  for (const Span& span : line.spans()) {
    std::string_view rest = span.text;
    while (!rest.empty()) {
      const std::string_view character = rest.substr(0, std::max<size_t>(1, utf8_length(rest)));
      out.push_back({character, width_of(character), span.style});
      rest.remove_prefix(character.size());
    }
  }
  return out;
}

Line joined(const std::vector<Cell>& cells, size_t begin, size_t end, size_t indent) {
  Line row;
  row.add(std::string(indent, ' '));
  for (size_t i = begin; i < end; ++i) row.add(cells[i].text, cells[i].style);
  return row;
}

// The cell behind the last that fits into `room`; at least one goes in.
size_t end_of_row(const std::vector<Cell>& cells, size_t begin, size_t room) {
  size_t width = 0;
  size_t end = begin;
  while (end < cells.size() && width + cells[end].width <= room) width += cells[end++].width;
  return std::max(end, begin + 1);
}

Line clipped(const std::vector<Cell>& cells, size_t columns) {
  if (end_of_row(cells, 0, columns) >= cells.size()) return joined(cells, 0, cells.size(), 0);
  constexpr size_t kDots = 3;
  if (columns <= kDots) return joined(cells, 0, end_of_row(cells, 0, columns), 0);
  return joined(cells, 0, end_of_row(cells, 0, columns - kDots), 0).add("...", Style::kDim);
}

}  // namespace

Utf8Thread::Utf8Thread()
    : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)),
      before_(locale_ != nullptr ? ::uselocale(locale_) : nullptr) {}

Utf8Thread::~Utf8Thread() {
  if (locale_ == nullptr) return;
  ::uselocale(before_);
  ::freelocale(locale_);
}

size_t cells(std::string_view text) {
  size_t width = 0;
  while (!text.empty()) {
    const std::string_view character = text.substr(0, std::max<size_t>(1, utf8_length(text)));
    width += width_of(character);
    text.remove_prefix(character.size());
  }
  return width;
}

Lines rows_of(const Line& line, size_t columns) {
  columns = std::max<size_t>(columns, 1);
  const std::vector<Cell> all = cells_of(line);
  if (all.empty()) return {Line()};
  if (line.fold() == Line::Fold::kClip) return {clipped(all, columns)};
  Lines rows;
  size_t begin = 0;
  while (begin < all.size()) {
    const size_t indent = rows.empty() || line.indent() * 2 > columns ? 0 : line.indent();
    const size_t end = end_of_row(all, begin, columns - indent);
    size_t cut = end;
    size_t next = end;
    if (line.fold() == Line::Fold::kWords && end < all.size()) {
      size_t blank = end;  // a blank right behind the row is where it ends
      while (blank > begin && all[blank].text != " ") --blank;
      if (blank > begin) cut = blank;
      for (next = cut; next < all.size() && all[next].text == " ";) ++next;
    }
    rows.push_back(joined(all, begin, cut, indent));
    begin = next;
  }
  return rows;
}

}  // namespace dsv4::agent::terminal
