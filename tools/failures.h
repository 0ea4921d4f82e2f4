#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::tools {

// A place in a repository file that a failure went through.
struct Frame {
  std::string path;
  size_t line = 0;       // from 1
  std::string function;  // as the output names it, may be empty
};

// One failure found in the output of a test command.
struct Failure {
  std::string head{};  // "test_calc.py: test_clamp", or a whole line of the output
  bool whole_line = false;
  std::string source{};                 // the line that failed, trimmed; may be empty
  std::vector<std::string> messages{};  // at most four
  std::vector<Frame> frames{};          // innermost first, test files included
  bool message_first = false;           // as compilers print it
  bool weak = false;                    // shown only when nothing better is found
};

// What the parsers may ask about the repository.
struct SourceView {
  // The trimmed text of a line; nothing when there is no such file or line.
  std::function<std::optional<std::string>(const std::string& path, size_t line)> line;
  // The name of the innermost function or class around a line.
  std::function<std::optional<std::string>(const std::string& path, size_t line)> around;
};

// The output of a command, line by line.
struct OutputLines {
  std::vector<std::string> lines;
  size_t at = 0;
  std::string file{};  // whose tests these lines are about, where a heading has said it

  bool done() const { return at >= lines.size(); }
  const std::string& line() const { return lines[at]; }
  // The line `ahead` of this one, empty past the end.
  const std::string& peek(size_t ahead) const {
    static const std::string kNone;
    return at + ahead < lines.size() ? lines[at + ahead] : kNone;
  }
};

// Each looks at the current line. If a failure of its kind starts there it reads it, moves behind
// it, adds it, and says so; otherwise it changes nothing.
bool parse_python_traceback(OutputLines& out, const SourceView& view, std::vector<Failure>& found);
bool parse_pytest(OutputLines& out, const SourceView& view, std::vector<Failure>& found);
bool parse_c_assert(OutputLines& out, const SourceView& view, std::vector<Failure>& found);
bool parse_compiler(OutputLines& out, const SourceView& view, std::vector<Failure>& found);
bool parse_catch(OutputLines& out, const SourceView& view, std::vector<Failure>& found);
bool parse_googletest(OutputLines& out, const SourceView& view, std::vector<Failure>& found);
bool parse_go(OutputLines& out, const SourceView& view, std::vector<Failure>& found);
bool parse_cargo(OutputLines& out, const SourceView& view, std::vector<Failure>& found);
bool parse_rustc(OutputLines& out, const SourceView& view, std::vector<Failure>& found);
bool parse_tap(OutputLines& out, const SourceView& view, std::vector<Failure>& found);
bool parse_node(OutputLines& out, const SourceView& view, std::vector<Failure>& found);
bool parse_mocha(OutputLines& out, const SourceView& view, std::vector<Failure>& found);
bool parse_jest(OutputLines& out, const SourceView& view, std::vector<Failure>& found);
bool parse_vitest(OutputLines& out, const SourceView& view, std::vector<Failure>& found);
bool parse_script_error(OutputLines& out, const SourceView& view, std::vector<Failure>& found);
bool parse_own_line(OutputLines& out, const SourceView& view, std::vector<Failure>& found);

// "PATH:LINE:" or "PATH:LINE:COLUMN:" at the front of a line, and the rest.
struct Located {
  std::string path;
  size_t line = 0;
  std::string rest;  // without blanks in front
};
std::optional<Located> located(std::string_view line);

// The failures in the output, strong ones first come first; without repeats.
std::vector<Failure> find_failures(std::string_view output, const SourceView& view);

}  // namespace dsv4::tools
