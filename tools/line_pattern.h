#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tools/pattern_parts.h"

namespace dsv4::tools {

// A Perl regular expression that is looked for in the lines of texts, each line by itself. Gives up
// on a line instead of backtracking without end.
class LinePattern {
 public:
  // Throws ToolError for what is no regular expression.
  explicit LinePattern(const std::string& pattern);
  ~LinePattern();

  // What one thread needs to match with it.
  class Matcher {
   public:
    explicit Matcher(const LinePattern& pattern);
    ~Matcher();

    // Calls hit(number, line) for the lines that match, numbered from 1, in order and without their
    // ends, while it returns true. The number of a line that takes too long, if there is one.
    using Hit = std::function<bool(size_t number, std::string_view line)>;
    std::optional<size_t> find(std::string_view text, const Hit& hit);

   private:
    enum class Found { kYes, kNo, kTooCostly };
    struct Text;
    Found in(std::string_view line);
    std::optional<size_t> find_in_each(Text text, const Hit& hit);
    std::optional<size_t> find_by_literal(Text text, const Hit& hit);
    std::optional<size_t> find_in_whole(Text text, const Hit& hit);

    const LinePattern& pattern_;
    struct State;
    std::unique_ptr<State> state_;
  };

 private:
  PatternParts parts_;
  LiteralFinder literal_;
  struct Code;
  std::unique_ptr<Code> code_;
};

}  // namespace dsv4::tools
