#include <algorithm>
#include <cctype>

#include "tools/failures.h"
#include "tools/syntax.h"
#include "tools/text.h"

namespace dsv4::tools {
namespace {

constexpr size_t kMessages = 3;

// `  File "calc.py", line 3, in clamp`
std::optional<Frame> python_frame(std::string_view line) {
  line = trimmed(line);
  constexpr std::string_view kFile = "File \"";
  if (!line.starts_with(kFile)) return std::nullopt;
  line.remove_prefix(kFile.size());
  const size_t quote = line.find("\", line ");
  if (quote == std::string_view::npos) return std::nullopt;
  Frame frame;
  frame.path = std::string(line.substr(0, quote));
  line.remove_prefix(quote + 8);
  size_t digits = 0;
  while (digits < line.size() && std::isdigit(static_cast<unsigned char>(line[digits])) &&
         digits < 8) {
    frame.line = frame.line * 10 + static_cast<size_t>(line[digits++] - '0');
  }
  line.remove_prefix(digits);
  if (line.starts_with(", in ")) frame.function = std::string(trimmed(line.substr(5)));
  return frame;
}

bool is_marker(std::string_view line) {
  line = trimmed(line);
  return !line.empty() && line.find_first_not_of("^~ ") == std::string_view::npos;
}

bool ends_message(std::string_view line) {
  return trimmed(line).empty() || line.starts_with("-----") || line.starts_with("=====") ||
         line.starts_with("Traceback (") || line.starts_with("FAIL") ||
         line.starts_with("ERROR:") || line.starts_with("Ran ");
}

bool chains(std::string_view line) {
  return line.starts_with("During handling of the above exception") ||
         line.starts_with("The above exception was the direct cause");
}

struct Traceback {
  std::vector<Frame> frames;         // outermost first, repository files only
  std::vector<std::string> sources;  // the line each frame shows
  std::vector<std::string> messages;
};

// The frames and the message of one traceback, from its first line on.
Traceback read_traceback(OutputLines& out, const SourceView& view) {
  Traceback trace;
  if (out.line().find("Traceback (most recent call last)") != std::string::npos) ++out.at;
  while (!out.done()) {
    const auto frame = python_frame(out.line());
    if (frame) {
      ++out.at;
      std::string source;
      while (!out.done() && out.line().starts_with("    ") && !python_frame(out.line())) {
        if (source.empty() && !is_marker(out.line())) source = trimmed(out.line());
        ++out.at;
      }
      const auto in_file = view.line(frame->path, frame->line);
      if (!in_file) continue;
      trace.frames.push_back(*frame);
      trace.sources.push_back(source.empty() ? *in_file : source);
    } else if (out.line().starts_with("  [Previous line repeated") || is_marker(out.line())) {
      ++out.at;
    } else {
      break;
    }
  }
  while (!out.done() && trace.messages.size() < kMessages && !ends_message(out.line())) {
    if (!is_marker(out.line())) trace.messages.push_back(std::string(trimmed(out.line())));
    ++out.at;
  }
  return trace;
}

bool is_function(const std::string& name) { return !name.empty() && name[0] != '<'; }

// The failure belongs to the innermost frame in a test file, its source line is the innermost of
// all.
Failure failure_of(const Traceback& trace) {
  Failure failure;
  failure.messages = trace.messages;
  failure.source = trace.sources.back();
  const Frame& innermost = trace.frames.back();
  const bool syntax =
      !trace.messages.empty() && (trace.messages[0].starts_with("SyntaxError") ||
                                  trace.messages[0].starts_with("IndentationError") ||
                                  trace.messages[0].starts_with("TabError"));
  const auto test = std::find_if(trace.frames.rbegin(), trace.frames.rend(),
                                 [](const Frame& frame) { return is_test_file(frame.path); });
  const Frame& shown_frame = test == trace.frames.rend() ? innermost : *test;
  if (syntax) {
    failure.head = innermost.path + ":" + std::to_string(innermost.line);
  } else {
    failure.head = shown_frame.path;
    if (is_function(shown_frame.function)) failure.head += ": " + shown_frame.function;
  }
  failure.frames.assign(trace.frames.rbegin(), trace.frames.rend());
  return failure;
}

bool is_pytest_heading(std::string_view line) {
  return line.starts_with("___") && line.ends_with("___") &&
         line.find(' ') != std::string_view::npos;
}

}  // namespace

bool parse_python_traceback(OutputLines& out, const SourceView& view, std::vector<Failure>& found) {
  const bool bare_syntax_error = python_frame(out.line()) && out.line().starts_with("  File");
  if (!out.line().starts_with("Traceback (most recent call last)") && !bare_syntax_error) {
    return false;
  }
  const size_t start = out.at;
  Traceback trace = read_traceback(out, view);
  // Of a chain of exceptions the last one is what the test saw.
  for (;;) {
    size_t ahead = 0;
    while (ahead < 3 && trimmed(out.peek(ahead)).empty()) ++ahead;
    if (!chains(out.peek(ahead))) break;
    out.at += ahead + 1;
    while (!out.done() && trimmed(out.line()).empty()) ++out.at;
    if (out.done()) break;
    Traceback next = read_traceback(out, view);
    if (!next.frames.empty()) trace = std::move(next);
  }
  if (out.at == start) ++out.at;
  if (!trace.frames.empty()) found.push_back(failure_of(trace));
  return true;
}

// ____ test_clamp ____ and what follows up to the next heading.
bool parse_pytest(OutputLines& out, const SourceView& view, std::vector<Failure>& found) {
  if (!is_pytest_heading(out.line())) return false;
  std::string name(out.line());
  name.erase(0, name.find_first_not_of("_ "));
  name.erase(name.find_last_not_of("_ ") + 1);
  Failure failure;
  std::string marked;
  ++out.at;
  while (!out.done() && !is_pytest_heading(out.line()) && !out.line().starts_with("=====")) {
    const std::string& line = out.line();
    if (line.starts_with("Traceback (most recent call last)") || python_frame(line)) {
      Traceback trace = read_traceback(out, view);
      failure.frames.insert(failure.frames.begin(), trace.frames.rbegin(), trace.frames.rend());
      continue;
    }
    if (line.starts_with("> ") || line.starts_with(">\t")) marked = trimmed(line.substr(1));
    if (line.starts_with("E  ") && failure.messages.size() < kMessages) {
      const std::string message(trimmed(line.substr(1)));
      if (!message.empty()) failure.messages.push_back(message);
    }
    const auto place = line.starts_with(' ') ? std::nullopt : located(line);
    if (place && view.line(place->path, place->line)) {
      Frame frame{place->path, place->line, ""};
      if (place->rest.starts_with("in ")) frame.function = place->rest.substr(3);
      failure.frames.insert(failure.frames.begin(), frame);
    }
    ++out.at;
  }
  if (failure.frames.empty() && failure.messages.empty()) return true;
  const auto test = std::find_if(failure.frames.begin(), failure.frames.end(),
                                 [](const Frame& frame) { return is_test_file(frame.path); });
  constexpr std::string_view kCollecting = "ERROR collecting ";
  if (name.starts_with(kCollecting)) {
    failure.head = name.substr(kCollecting.size());
  } else {
    failure.head = (test == failure.frames.end() ? "" : test->path + ": ") + name;
  }
  if (!failure.frames.empty()) {
    failure.source = view.line(failure.frames[0].path, failure.frames[0].line).value_or(marked);
  } else {
    failure.source = marked;
  }
  found.push_back(std::move(failure));
  return true;
}

}  // namespace dsv4::tools
