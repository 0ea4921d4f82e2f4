#include <algorithm>
#include <cctype>

#include "tools/failure_parts.h"
#include "tools/failures.h"
#include "tools/text.h"

// The failures as go and cargo print them.

namespace dsv4::tools {
namespace {

// "TestClamp/case" of "--- FAIL: TestClamp/case (0.00s)".
std::string go_test_name(std::string_view line) {
  constexpr std::string_view kFail = "--- FAIL: ";
  line = trimmed(line);
  if (!line.starts_with(kFail)) return "";
  line.remove_prefix(kFail.size());
  return std::string(line.substr(0, line.find(' ')));
}

// "/work/calc.go:14 +0x1d" below the function "example.com/calc.Pick(...)".
void read_go_stack(OutputLines& out, const SourceView& view, Failure& failure) {
  std::string function;
  for (; !out.done() && !out.line().starts_with("FAIL") && go_test_name(out.line()).empty();
       ++out.at) {
    const std::string& line = out.line();
    if (!line.starts_with('\t')) {
      const std::string_view name = std::string_view(line).substr(0, line.find('('));
      function = name.substr(name.find_last_of("./") + 1);
      continue;
    }
    const std::string_view entry = trimmed(line);
    const auto place = located(std::string(entry.substr(0, entry.find(' '))) + ":");
    if (place) add_frame(failure, view, *place, function);
  }
}

bool is_go_result(std::string_view line) { return trimmed(line).starts_with("--- "); }

void add_go_line(std::string_view line, const SourceView& view, Failure& failure) {
  const auto place = located(trimmed(line));
  if (place) add_frame(failure, view, *place, "");
  add_message(failure, place ? std::string_view(place->rest) : line);
}

// With -v a test's lines stand before its result, behind "=== RUN   TestClamp" and, where tests
// run at once, behind "=== NAME  TestClamp" again.
void read_go_lines_before(const OutputLines& out, size_t end, const std::string& name,
                          const SourceView& view, Failure& failure) {
  bool of_it = false;
  for (size_t at = 0; at < end; ++at) {
    const std::string& line = out.lines[at];
    if (line.starts_with("=== ")) {
      of_it = trimmed(std::string_view(line).substr(line.find_last_of(' ') + 1)) == name;
    } else if (is_go_result(line)) {
      of_it = false;
    } else if (of_it) {
      add_go_line(line, view, failure);
    }
  }
}

}  // namespace

// --- FAIL: TestClamp (0.00s)
//     calc_test.go:15: message
bool parse_go(OutputLines& out, const SourceView& view, std::vector<Failure>& found) {
  const std::string name = go_test_name(out.line());
  if (name.empty()) return false;
  const size_t depth = blanks_before(out.line());
  const size_t start = ++out.at;
  for (; !out.done() && blanks_before(out.line()) > depth; ++out.at) {
    if (!go_test_name(out.line()).empty()) return true;  // this one only sums up those below it
  }
  Failure failure;
  read_go_lines_before(out, start - 1, name, view, failure);
  for (size_t at = start; at < out.at; ++at) {
    if (!is_go_result(out.lines[at])) add_go_line(out.lines[at], view, failure);
  }
  if (!out.done() && out.line().starts_with("panic: ")) {
    add_message(failure, out.line());
    while (!out.done() && !trimmed(out.line()).empty()) ++out.at;
    read_go_stack(out, view, failure);
  }
  set_head(failure, name);
  found.push_back(std::move(failure));
  return true;
}

// ---- tests::high stdout ----
//
// thread 'tests::high' (4280) panicked at src/lib.rs:22:9:
bool parse_cargo(OutputLines& out, const SourceView& view, std::vector<Failure>& found) {
  constexpr std::string_view kBegin = "---- ";
  constexpr std::string_view kEnd = " stdout ----";
  const std::string_view heading = out.line();
  if (!heading.starts_with(kBegin) || !heading.ends_with(kEnd)) return false;
  const std::string name(
      heading.substr(kBegin.size(), heading.size() - kBegin.size() - kEnd.size()));
  Failure failure;
  bool in_message = false;
  for (++out.at; !out.done() && !out.line().starts_with(kBegin) && out.line() != "failures:";
       ++out.at) {
    const std::string& line = out.line();
    const size_t panicked = line.find(" panicked at ");
    if (line.starts_with("thread '") && panicked != std::string::npos) {
      const auto place = located(std::string_view(line).substr(panicked + 13));
      if (place) add_frame(failure, view, *place, "");
      in_message = true;
      continue;
    }
    in_message = in_message && line != "stack backtrace:" && !line.starts_with("note: ");
    if (in_message) add_message(failure, line);
    const std::string_view entry = trimmed(line);
    if (!entry.starts_with("at ") || in_message) continue;
    const auto place = located(entry.substr(3));
    if (place) add_frame(failure, view, *place, "");
  }
  if (failure.messages.empty() && failure.frames.empty()) return true;
  set_head(failure, name);
  found.push_back(std::move(failure));
  return true;
}

// rustc: "error[E0425]: cannot find value `y`" and, on the next line, "  --> src/lib.rs:3:5".
bool parse_rustc(OutputLines& out, const SourceView& view, std::vector<Failure>& found) {
  const std::string& line = out.line();
  if (!line.starts_with("error[") && !line.starts_with("error: ")) return false;
  const std::string_view next = trimmed(out.peek(1));
  if (!next.starts_with("--> ")) return false;
  const auto place = located(std::string(next.substr(4)) + ":");
  if (!place) return false;
  Failure failure{.message_first = true};
  add_frame(failure, view, *place, "");
  failure.head = place->path + ":" + std::to_string(place->line);
  add_message(failure, line);
  found.push_back(std::move(failure));
  out.at += 2;
  return true;
}

}  // namespace dsv4::tools
