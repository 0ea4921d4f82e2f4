#include "agent/terminal/line.h"

#include "agent/printable.h"

namespace dsv4::agent::terminal {
namespace {

constexpr size_t kTab = 4;

// "Select graphic rendition" (ECMA-48) parameters.
const char* rendition(Style style) {
  switch (style) {
    case Style::kPlain:
      return "";
    case Style::kDim:
    case Style::kComment:
      return "2";
    case Style::kStrong:
      return "1";
    case Style::kEmphasis:
      return "3";
    case Style::kHeading:
      return "1;34";
    case Style::kCode:
    case Style::kNumber:
    case Style::kConstant:
      return "36";
    case Style::kGood:
    case Style::kString:
      return "32";
    case Style::kBad:
      return "31";
    case Style::kBar:
      return "7";
    case Style::kKeyword:
      return "35";
    case Style::kType:
      return "33";
    case Style::kFunction:
      return "34";
  }
  return "";
}

}  // namespace

Line& Line::add(std::string_view text, Style style) {
  std::string shown;
  for (const char c : printable(text)) {
    if (c == '\t') {
      const size_t blanks = kTab - characters_ % kTab;
      shown.append(blanks, ' ');
      characters_ += blanks;
    } else {
      shown += c == '\n' ? ' ' : c;
      if ((static_cast<uint8_t>(c) & 0xc0) != 0x80) ++characters_;
    }
  }
  if (shown.empty()) return *this;
  if (!spans_.empty() && spans_.back().style == style) {
    spans_.back().text += shown;
  } else {
    spans_.push_back({style, std::move(shown)});
  }
  return *this;
}

Line& Line::add(const Line& other) {
  for (const Span& span : other.spans_) add(span.text, span.style);
  return *this;
}

Line& Line::fold(Fold how, size_t indent) {
  fold_ = how;
  indent_ = indent;
  return *this;
}

std::string Line::text() const {
  std::string text;
  for (const Span& span : spans_) text += span.text;
  return text;
}

std::string coded(const Line& line, bool colour) {
  if (!colour) return line.text();
  std::string out;
  for (const Span& span : line.spans()) {
    const std::string code = rendition(span.style);
    out += code.empty() ? span.text : "\x1b[" + code + "m" + span.text + "\x1b[0m";
  }
  return out;
}

}  // namespace dsv4::agent::terminal
