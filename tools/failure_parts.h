#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/failures.h"

// What the parsers of failures have in common.

namespace dsv4::tools {

// Trimmed; not when it is empty, or the failure has all the messages that are shown.
void add_message(Failure& failure, std::string_view message);

// Of the repository only; the innermost comes first.
void add_frame(Failure& failure, const SourceView& view, const Located& place,
               const std::string& function);

// "test_calc.py: name", by the first frame of a test file, or else the innermost.
void set_head(Failure& failure, const std::string& name);

size_t blanks_before(std::string_view line);

// What a test says of its failure. Three ways of showing a difference are read, of which two mean
// the opposite by + and -; of each side one line is kept.
class Said {
 public:
  void add(std::string_view line);
  bool empty() const { return lines_.empty() && !expected_ && !received_; }
  void into(Failure& failure) const;

 private:
  enum class Minus { kNothing, kExpected, kReceived };
  bool heads_difference(std::string_view line);

  std::vector<std::string> lines_;
  std::optional<std::string> expected_;
  std::optional<std::string> received_;
  Minus minus_ = Minus::kNothing;
};

// A line of a stack of JavaScript, such as "at f (/work/calc.js:3:1)", "at file:///work/calc.js:3",
// or "❯ f calc.js:3:1". Adds it if it is of the repository. False when it is no such line.
bool add_script_frame(std::string_view line, const SourceView& view, Failure& failure);

}  // namespace dsv4::tools
