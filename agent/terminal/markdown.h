#pragma once

#include <string>
#include <string_view>

#include "agent/terminal/line.h"
#include "tools/syntax.h"

namespace dsv4::agent::terminal {

// Markdown as it streams in, in lines for a terminal: headings, lists, quotes, fenced code in
// colours, and within a line code, strong, emphasis and links. Every line of the source is a line;
// what is no such thing is shown as it is written.
class Markdown {
 public:
  // The lines that are finished with this piece.
  Lines push(std::string_view piece);

  // The line that has begun, as far as it is known; none when the last one is finished.
  Lines begun() const;

  // Ends the text: the line that had begun, if any.
  Lines finish();

 private:
  Lines line(std::string_view text);
  Line code_line(std::string_view text);

  std::string rest_;   // of a line that has begun
  std::string fence_;  // that ends the code; empty outside
  size_t code_indent_ = 0;
  tools::Language language_ = tools::Language::kNone;
  std::string code_;  // of this fence so far
  size_t code_lines_ = 0;
};

}  // namespace dsv4::agent::terminal
