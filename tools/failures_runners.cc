#include <algorithm>
#include <cctype>

#include "tools/failures.h"
#include "tools/syntax.h"
#include "tools/text.h"

// The failures as go, cargo and node's test runner print them.

namespace dsv4::tools {
namespace {

constexpr size_t kMessages = 3;

size_t blanks_before(std::string_view line) {
  return std::min(line.find_first_not_of(" \t"), line.size());
}

void add_message(Failure& failure, std::string_view message) {
  message = trimmed(message);
  if (!message.empty() && failure.messages.size() < kMessages) {
    failure.messages.emplace_back(message);
  }
}

// Of the repository only; the innermost comes first.
void add_frame(Failure& failure, const SourceView& view, const Located& place,
               const std::string& function) {
  const auto source = view.line(place.path, place.line);
  if (!source) return;
  failure.frames.push_back({place.path, place.line, function});
  if (failure.source.empty()) failure.source = *source;
}

void set_head(Failure& failure, const std::string& name) {
  const auto test = std::find_if(failure.frames.begin(), failure.frames.end(),
                                 [](const Frame& frame) { return is_test_file(frame.path); });
  if (test != failure.frames.end()) {
    failure.head = test->path + ": " + name;
  } else {
    failure.head = failure.frames.empty() ? name : failure.frames.front().path + ": " + name;
  }
}

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

// The YAML block of one result: key: value, or |- and deeper lines.
struct TapBlock {
  std::vector<std::string> error;
  std::vector<std::string> stack;
  std::string kind;
};

TapBlock read_tap_block(OutputLines& out) {
  TapBlock block;
  if (out.done() || trimmed(out.line()) != "---") return block;
  const size_t depth = blanks_before(out.line());
  std::vector<std::string>* into = nullptr;
  for (++out.at; !out.done() && trimmed(out.line()) != "..."; ++out.at) {
    const std::string& line = out.line();
    if (blanks_before(line) > depth || trimmed(line).empty()) {
      if (into) into->emplace_back(trimmed(line));
      continue;
    }
    into = nullptr;
    const std::string_view entry = trimmed(line);
    const size_t colon = entry.find(": ");
    if (colon == std::string_view::npos) continue;
    const std::string_view key = entry.substr(0, colon);
    std::string_view value = trimmed(entry.substr(colon + 2));
    if (value.size() > 1 && value.front() == '\'' && value.back() == '\'') {
      value = value.substr(1, value.size() - 2);
    }
    if (key == "error") into = &block.error;
    if (key == "stack") into = &block.stack;
    if (key == "failureType") block.kind = value;
    if (into && !value.starts_with('|')) into->emplace_back(value);
  }
  if (!out.done()) ++out.at;
  return block;
}

// The place in "at f (/work/calc.js:3:1)", "at /work/calc.js:3:1", "at file:///work/calc.js:3:1".
void add_script_frame(std::string_view entry, const SourceView& view, Failure& failure) {
  entry = trimmed(entry);
  std::string function;
  if (entry.starts_with("at ")) entry.remove_prefix(3);
  const size_t open = entry.rfind('(');
  if (open != std::string_view::npos && entry.find(')', open) != std::string_view::npos) {
    function = trimmed(entry.substr(0, open));
    entry = entry.substr(open + 1, entry.find(')', open) - open - 1);
  }
  constexpr std::string_view kFile = "file://";
  if (entry.starts_with(kFile)) entry.remove_prefix(kFile.size());
  const auto place = located(std::string(entry) + ":");
  if (place) add_frame(failure, view, *place, function);
}

}  // namespace

// --- FAIL: TestClamp (0.00s)
//     calc_test.go:15: message
bool parse_go(OutputLines& out, const SourceView& view, std::vector<Failure>& found) {
  const std::string name = go_test_name(out.line());
  if (name.empty()) return false;
  const size_t depth = blanks_before(out.line());
  ++out.at;
  // One that only sums up what follows below it.
  if (!out.done() && blanks_before(out.line()) > depth && !go_test_name(out.line()).empty()) {
    return true;
  }
  Failure failure;
  for (; !out.done() && blanks_before(out.line()) > depth && go_test_name(out.line()).empty();
       ++out.at) {
    const auto place = located(trimmed(out.line()));
    if (place) add_frame(failure, view, *place, "");
    add_message(failure, place ? place->rest : out.line());
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

// TAP, as node prints it into a pipe: "not ok 2 - high", then a block between --- and ...
bool parse_tap(OutputLines& out, const SourceView& view, std::vector<Failure>& found) {
  std::string_view line = trimmed(out.line());
  constexpr std::string_view kNotOk = "not ok ";
  if (!line.starts_with(kNotOk)) return false;
  line.remove_prefix(kNotOk.size());
  const size_t digits = std::min(line.find_first_not_of("0123456789"), line.size());
  std::string_view name = trimmed(line.substr(digits));
  if (name.starts_with("- ")) name.remove_prefix(2);
  ++out.at;
  const bool todo = name.find("# TODO") != std::string_view::npos ||
                    name.find("# SKIP") != std::string_view::npos;
  const TapBlock block = read_tap_block(out);
  if (todo || block.kind == "subtestsFailed") return true;
  Failure failure;
  for (const std::string& message : block.error) add_message(failure, message);
  for (const std::string& entry : block.stack) add_script_frame(entry, view, failure);
  set_head(failure,
           name.empty() ? "test " + std::string(line.substr(0, digits)) : std::string(name));
  found.push_back(std::move(failure));
  return true;
}

// The same runner on a terminal: behind "✖ failing tests:", each "✖ high (0.85ms)".
bool parse_node(OutputLines& out, const SourceView& view, std::vector<Failure>& found) {
  constexpr std::string_view kCross = "\u2716 ";
  const std::string& line = out.line();
  if (!line.starts_with(kCross) || !out.peek(1).starts_with("  ")) return false;
  std::string_view name = std::string_view(line).substr(kCross.size());
  if (name.ends_with("ms)")) name = trimmed(name.substr(0, name.rfind(" (")));
  Failure failure;
  for (++out.at; !out.done() && (out.line().starts_with(' ') || out.line().empty()); ++out.at) {
    const std::string_view entry = trimmed(out.line());
    if (entry.starts_with("at ")) {
      add_script_frame(entry, view, failure);
    } else if (failure.frames.empty()) {
      add_message(failure, entry);
    }
    if (entry.empty() && !out.peek(1).starts_with(' ')) break;
  }
  set_head(failure, std::string(name));
  found.push_back(std::move(failure));
  return true;
}

}  // namespace dsv4::tools
