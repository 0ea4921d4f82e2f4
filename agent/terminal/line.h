#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::agent::terminal {

enum class Style : uint8_t {
  kPlain,
  kDim,
  kStrong,
  kEmphasis,
  kHeading,
  kCode,  // a word of code in prose
  kGood,
  kBad,
  kBar,  // the mode line
  // of code
  kComment,
  kString,
  kNumber,
  kKeyword,
  kType,
  kFunction,
  kConstant,
};

struct Span {
  Style style = Style::kPlain;
  std::string text;
};

// One line of text for a person, not wrapped yet. What is added is made printable first, so that
// nothing in a line can steer a terminal, wherever it came from.
class Line {
 public:
  enum class Fold : uint8_t {
    kCharacters,  // goes on in the next row wherever the row ends
    kWords,       // between words
    kClip,        // never: what does not fit is cut, and "..." says so
  };

  Line() = default;
  explicit Line(std::string_view text, Style style = Style::kPlain) { add(text, style); }

  // A newline becomes a blank; a tab, blanks up to the next multiple of 4 characters.
  Line& add(std::string_view text, Style style = Style::kPlain);
  Line& add(const Line& other);
  Line& fold(Fold how, size_t indent = 0);

  const std::vector<Span>& spans() const { return spans_; }
  Fold fold() const { return fold_; }
  size_t indent() const { return indent_; }  // cells before the text of every row but the first
  bool empty() const { return spans_.empty(); }
  std::string text() const;  // without styles

 private:
  std::vector<Span> spans_;
  size_t characters_ = 0;
  Fold fold_ = Fold::kCharacters;
  size_t indent_ = 0;
};

using Lines = std::vector<Line>;

// The line with the codes that a terminal takes for its styles; without them where `colour` is
// false.
std::string coded(const Line& line, bool colour);

}  // namespace dsv4::agent::terminal
