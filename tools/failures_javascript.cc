#include <algorithm>
#include <cctype>

#include "tools/failure_parts.h"
#include "tools/failures.h"
#include "tools/text.h"

// The failures as mocha, jest and vitest print them.

namespace dsv4::tools {
namespace {

constexpr std::string_view kBullet = "  \u25cf ";

size_t digits_at(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789"), text.size());
}

// "  5 failing"
bool is_mocha_summary(std::string_view line) {
  if (blanks_before(line) != 2) return false;
  line = trimmed(line);
  return digits_at(line) > 0 && line.substr(digits_at(line)) == " failing";
}

bool is_npm(std::string_view line) {
  return line.starts_with("npm ERR!") || line.starts_with("npm error");
}

// "  1) clamp", then deeper "outside" and "lowers 5 to 3:".
std::string read_mocha_title(OutputLines& out, size_t mark) {
  std::string title(trimmed(std::string_view(out.line()).substr(mark)));
  for (++out.at; !out.done() && !title.ends_with(':') && !trimmed(out.line()).empty(); ++out.at) {
    title += " " + std::string(trimmed(out.line()));
  }
  if (title.ends_with(':')) title.pop_back();
  return title;
}

// A test that took too long names its file in the message only.
std::string file_in_brackets(const Failure& failure, const SourceView& view) {
  if (failure.messages.empty()) return "";
  const std::string& message = failure.messages.front();
  const size_t open = message.rfind('(');
  if (open == std::string::npos || !message.ends_with(')')) return "";
  const std::string path = message.substr(open + 1, message.size() - open - 2);
  return view.line(path, 1) ? path + ": " : "";
}

Failure read_mocha_failure(OutputLines& out, size_t mark, const std::string& next,
                           const SourceView& view) {
  Failure failure;
  const std::string title = read_mocha_title(out, mark);
  Said said;
  bool in_stack = false;
  for (; !out.done() && !out.line().starts_with(next) && !is_npm(out.line()); ++out.at) {
    if (add_script_frame(out.line(), view, failure)) {
      in_stack = true;
    } else if (!in_stack) {
      said.add(out.line());
    }
  }
  said.into(failure);
  set_head(failure, title);
  if (failure.frames.empty()) failure.head.insert(0, file_in_brackets(failure, view));
  return failure;
}

// "  > 11 |   expect(clamp(5, 0, 3)).toBe(3);" and the lines around it.
bool is_code_frame(std::string_view line) {
  line = trimmed(line);
  if (line.starts_with('>')) line = trimmed(line.substr(1));
  line.remove_prefix(digits_at(line));
  return trimmed(line).starts_with('|');
}

// What says only which matcher it was, which the line of source says too.
bool names_matcher(std::string_view line) {
  line = trimmed(line);
  return (line.starts_with("expect(") || line.starts_with("assert")) &&
         line.find("received") != line.npos;
}

bool heads_file(std::string_view line) {
  const std::string_view text = trimmed(line);
  return blanks_before(line) < 2 && (text.starts_with("FAIL ") || text.starts_with("PASS "));
}

// "calc.test.js" of "FAIL unit ./calc.test.js (5.2 s)".
std::string file_of_heading(std::string_view line) {
  line = trimmed(line);
  const size_t time = line.find(" (");
  line = trimmed(line.substr(0, time));
  line.remove_prefix(line.rfind(' ') + 1);
  if (line.starts_with("./")) line.remove_prefix(2);
  return std::string(line);
}

// The message is "SyntaxError: calc.test.js: Unexpected token (2:0)", with the line marked below.
void place_syntax_error(Failure& failure, const std::string& marked) {
  if (!failure.frames.empty() || marked.empty()) return;
  failure.source = trimmed(std::string_view(marked).substr(marked.find('|') + 1));
}

// A line that belongs to the file's failure no longer.
bool ends_jest_failure(std::string_view line) {
  return line.starts_with(kBullet) || heads_file(line) || line.starts_with("Test Suites: ") ||
         line.starts_with("Summary of all failing tests") || is_npm(line);
}

Failure read_jest_failure(OutputLines& out, const SourceView& view) {
  Failure failure;
  Said said;
  std::string marked;
  bool in_stack = false;
  for (; !out.done() && !ends_jest_failure(out.line()); ++out.at) {
    const std::string& line = out.line();
    if (is_code_frame(line)) {
      if (marked.empty() && trimmed(line).starts_with('>')) marked = line;
    } else if (trimmed(line) == "Details:") {
      said = Said();  // what came before is advice
    } else if (add_script_frame(line, view, failure)) {
      in_stack = true;
    } else if (!in_stack && !names_matcher(line)) {
      said.add(line);
    }
  }
  said.into(failure);
  place_syntax_error(failure, marked);
  return failure;
}

// The head of vitest's failures: " FAIL  test/calc.test.ts > clamp > lowers".
std::string_view vitest_name(std::string_view line) {
  if (blanks_before(line) > 1) return {};
  line = trimmed(line);
  if (!line.starts_with("FAIL ")) return {};
  line = trimmed(line.substr(5));
  return line.find(" > ") != line.npos || line.ends_with(" ]") ? line : std::string_view();
}

bool is_thick_rule(std::string_view line) { return trimmed(line).starts_with("\u23af\u23af"); }

}  // namespace

// "  5 failing", and behind it what is known of each.
bool parse_mocha(OutputLines& out, const SourceView& view, std::vector<Failure>& found) {
  if (!is_mocha_summary(out.line())) return false;
  ++out.at;
  for (size_t number = 1;; ++number) {
    while (!out.done() && trimmed(out.line()).empty()) ++out.at;
    const auto mark = [](size_t of) { return "  " + std::to_string(of) + ") "; };
    if (out.done() || !out.line().starts_with(mark(number))) return true;
    found.push_back(read_mocha_failure(out, mark(number).size(), mark(number + 1), view));
  }
}

// "FAIL ./calc.test.js", and below it for each failure "  ● clamp › outside › lowers 5 to 3".
bool parse_jest(OutputLines& out, const SourceView& view, std::vector<Failure>& found) {
  if (heads_file(out.line())) {
    size_t ahead = 1;
    const size_t left = out.lines.size() - out.at;
    while (ahead < left && !ends_jest_failure(out.peek(ahead))) ++ahead;
    if (!out.peek(ahead).starts_with(kBullet)) return false;
    out.file = file_of_heading(out.line());
    ++out.at;
    return true;
  }
  if (!out.line().starts_with(kBullet) || out.file.empty()) return false;
  const std::string name(trimmed(std::string_view(out.line()).substr(kBullet.size())));
  ++out.at;
  Failure failure = read_jest_failure(out, view);
  if (name == "Console") return true;
  failure.head = name == "Test suite failed to run" ? out.file : out.file + ": " + name;
  found.push_back(std::move(failure));
  return true;
}

// Tests that fail alike are listed together, and what is said below is of them all.
bool parse_vitest(OutputLines& out, const SourceView& view, std::vector<Failure>& found) {
  if (vitest_name(out.line()).empty()) return false;
  Failure failure;
  failure.head = vitest_name(out.line());
  size_t more = 0;
  for (++out.at; !out.done() && !vitest_name(out.line()).empty(); ++out.at) ++more;
  Said said;
  bool in_stack = false;
  for (; !out.done() && vitest_name(out.line()).empty() && !is_thick_rule(out.line()); ++out.at) {
    if (add_script_frame(out.line(), view, failure)) {
      in_stack = true;
    } else if (!in_stack) {
      said.add(out.line());
    }
  }
  said.into(failure);
  if (more > 0) failure.head += " (and " + std::to_string(more) + " more)";
  found.push_back(std::move(failure));
  return true;
}

}  // namespace dsv4::tools
