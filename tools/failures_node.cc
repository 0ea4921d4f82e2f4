#include <algorithm>
#include <cctype>

#include "tools/failure_parts.h"
#include "tools/failures.h"
#include "tools/text.h"

// The failures as TAP says them, and node's own test runner.

namespace dsv4::tools {
namespace {

// What stands below one result: key: value, or |- and deeper lines.
struct TapBlock {
  std::vector<std::string> error;
  std::vector<std::string> stack;
  std::string expected;
  std::string actual;
  std::string kind;
};

std::string_view unquoted(std::string_view value) {
  const bool quoted = value.size() > 1 && value.front() == '\'' && value.back() == '\'';
  return quoted ? value.substr(1, value.size() - 2) : value;
}

TapBlock read_tap_block(OutputLines& out) {
  TapBlock block;
  const size_t depth = blanks_before(out.line());
  std::vector<std::string>* into = nullptr;
  size_t key_depth = std::string::npos;
  for (++out.at; !out.done() && trimmed(out.line()) != "..."; ++out.at) {
    const std::string& line = out.line();
    key_depth = std::min(key_depth, std::max(depth, blanks_before(line)));  // tape indents its keys
    if (blanks_before(line) > key_depth || trimmed(line).empty()) {
      if (into) into->emplace_back(trimmed(line));
      continue;
    }
    into = nullptr;
    const std::string_view entry = trimmed(line);
    const size_t colon = entry.find(": ");
    if (colon == std::string_view::npos) continue;
    const std::string_view key = entry.substr(0, colon);
    const std::string_view value = unquoted(trimmed(entry.substr(colon + 2)));
    if (key == "error") into = &block.error;
    if (key == "stack") into = &block.stack;
    if (key == "failureType") block.kind = value;
    if (key == "expected" && !value.starts_with('|')) block.expected = value;
    if (key == "actual" && !value.starts_with('|')) block.actual = value;
    if (into && !value.starts_with('|')) into->emplace_back(value);
  }
  if (!out.done()) ++out.at;
  return block;
}

void add_tap_block(const TapBlock& block, const SourceView& view, Failure& failure) {
  for (const std::string& message : block.error) add_message(failure, message);
  for (const std::string& entry : block.stack) {  // node leaves "at" out
    if (!add_script_frame(entry, view, failure)) add_script_frame("at " + entry, view, failure);
  }
  if (!block.error.empty()) return;
  if (!block.expected.empty()) add_message(failure, "Expected: " + block.expected);
  if (!block.actual.empty()) add_message(failure, "Received: " + block.actual);
}

// What mocha writes below a result: the message, the whole error, its stack.
void add_indented(OutputLines& out, const SourceView& view, Failure& failure) {
  Said said;
  for (; !out.done() && (out.line().starts_with("  ") || out.line().empty()); ++out.at) {
    if (!add_script_frame(out.line(), view, failure)) said.add(out.line());
  }
  said.into(failure);
}

// "TypeError [ERR_X]: message" in the first column.
bool is_script_error(std::string_view line) {
  const size_t name = std::min(line.find_first_of(": "), line.size());
  return line.substr(0, name).ends_with("Error") && line.find(": ") != line.npos;
}

// Of code that cannot be parsed no stack tells the place, but a line above it: "/work/calc.js:3".
void add_place_above(const OutputLines& out, const SourceView& view, Failure& failure) {
  constexpr size_t kAbove = 6;
  for (size_t at = out.at; at-- > 0 && out.at - at <= kAbove && failure.frames.empty();) {
    const auto place = located(out.lines[at] + ":");
    if (place && place->rest.empty()) add_frame(failure, view, *place, "");
  }
}

}  // namespace

// TAP, as node prints it into a pipe: "not ok 2 - high", then a block between --- and ...
bool parse_tap(OutputLines& out, const SourceView& view, std::vector<Failure>& found) {
  std::string_view line = trimmed(out.line());
  constexpr std::string_view kNotOk = "not ok ";
  if (!line.starts_with(kNotOk)) return false;
  line.remove_prefix(kNotOk.size());
  const size_t digits = std::min(line.find_first_not_of("0123456789"), line.size());
  std::string name(trimmed(line.substr(digits)));
  if (name.starts_with("- ")) name.erase(0, 2);
  if (name.empty()) name = "test " + std::string(line.substr(0, digits));
  ++out.at;
  const bool todo =
      name.find("# TODO") != std::string::npos || name.find("# SKIP") != std::string::npos;
  Failure failure;
  std::string kind;
  if (!out.done() && trimmed(out.line()) == "---") {
    const TapBlock block = read_tap_block(out);
    add_tap_block(block, view, failure);
    kind = block.kind;
  } else if (!out.done() && out.line().starts_with("  ") && !todo) {
    add_indented(out, view, failure);
  }
  if (todo || kind == "subtestsFailed") return true;
  set_head(failure, name);
  found.push_back(std::move(failure));
  return true;
}

// node's runner on a terminal: behind "✖ failing tests:", each "✖ high (0.85ms)".
bool parse_node(OutputLines& out, const SourceView& view, std::vector<Failure>& found) {
  constexpr std::string_view kCross = "\u2716 ";
  const std::string& line = out.line();
  if (!line.starts_with(kCross) || !out.peek(1).starts_with("  ")) return false;
  std::string_view name = std::string_view(line).substr(kCross.size());
  if (name.ends_with("ms)")) name = trimmed(name.substr(0, name.rfind(" (")));
  Failure failure;
  for (++out.at; !out.done() && (out.line().starts_with(' ') || out.line().empty()); ++out.at) {
    const std::string_view entry = trimmed(out.line());
    if (!add_script_frame(entry, view, failure) && failure.frames.empty()) {
      add_message(failure, entry);
    }
    if (entry.empty() && !out.peek(1).starts_with(' ')) break;
  }
  set_head(failure, std::string(name));
  found.push_back(std::move(failure));
  return true;
}

// An error that nothing caught, with its stack.
bool parse_script_error(OutputLines& out, const SourceView& view, std::vector<Failure>& found) {
  constexpr size_t kMessageLines = 20;
  if (!is_script_error(out.line())) return false;
  const size_t start = out.at;
  Failure failure;
  Said said;
  add_place_above(out, view, failure);
  const bool unparsed = !failure.frames.empty() && out.line().starts_with("SyntaxError");
  if (!unparsed) failure = Failure();  // the stack says it, with the function's name
  while (!out.done() && out.at - start < kMessageLines &&
         !add_script_frame(out.line(), view, failure)) {
    said.add(out.lines[out.at++]);
  }
  while (!out.done() && add_script_frame(out.line(), view, failure)) ++out.at;
  if (failure.frames.empty()) {
    out.at = start;
    return false;
  }
  said.into(failure);
  const Frame& place = failure.frames.front();
  set_head(failure, failure.messages.front());
  failure.head = failure.head.substr(0, failure.head.find(": "));
  if (unparsed || failure.head == place.path) {
    failure.head = place.path + ":" + std::to_string(place.line);
  }
  found.push_back(std::move(failure));
  return true;
}

}  // namespace dsv4::tools
