#include <algorithm>
#include <cctype>

#include "tools/failures.h"
#include "tools/text.h"

namespace dsv4::tools {
namespace {

constexpr size_t kMessages = 3;

// "clamp" of "void shapes::clamp(int, int)".
std::string function_in(std::string_view signature) {
  const size_t open = signature.find('(');
  std::string_view name = trimmed(signature.substr(0, open));
  const size_t blank = name.find_last_of(" *&");
  if (blank != std::string_view::npos) name.remove_prefix(blank + 1);
  return std::string(name);
}

Failure failure_at(const Located& place, const SourceView& view, const std::string& function) {
  Failure failure;
  failure.head = place.path + (function.empty() ? "" : ": " + function);
  failure.source = view.line(place.path, place.line).value_or("");
  failure.frames.push_back({place.path, place.line, function});
  return failure;
}

bool is_rule(std::string_view line, char of) {
  return line.size() >= 20 && line.find_first_not_of(of) == std::string_view::npos;
}

}  // namespace

// glibc: "prog: test.cc:12: void test_clamp(): Assertion `clamp(5, 0, 3) == 3' failed."
bool parse_c_assert(OutputLines& out, const SourceView& view, std::vector<Failure>& found) {
  const std::string& line = out.line();
  const size_t assertion = line.find(": Assertion `");
  if (assertion == std::string::npos) return false;
  std::string_view before = std::string_view(line).substr(0, assertion);
  auto place = located(before);
  if (!place) {  // the program's name comes first
    const size_t program = before.find(": ");
    if (program == std::string_view::npos) return false;
    place = located(before.substr(program + 2));
  }
  if (!place) return false;
  const auto around = view.around(place->path, place->line);
  Failure failure = failure_at(*place, view, around.value_or(function_in(place->rest)));
  failure.messages.push_back(std::string(trimmed(line.substr(assertion + 2))));
  if (failure.source.empty()) failure.source = failure.messages[0];
  found.push_back(std::move(failure));
  ++out.at;
  return true;
}

// gcc and clang: "calc.cc:3:10: error: expected ';'"; the linker's undefined references.
bool parse_compiler(OutputLines& out, const SourceView& view, std::vector<Failure>& found) {
  const std::string& line = out.line();
  const size_t undefined = line.find("undefined reference to `");
  if (undefined != std::string::npos) {
    found.push_back({.head = "FAIL " + line.substr(undefined), .whole_line = true});
    ++out.at;
    return true;
  }
  const auto place = located(line);
  if (!place || !(place->rest.starts_with("error:") || place->rest.starts_with("fatal error:"))) {
    return false;
  }
  Failure failure = failure_at(*place, view, "");
  failure.head = place->path + ":" + std::to_string(place->line);
  failure.messages = {place->rest};
  failure.message_first = true;
  found.push_back(std::move(failure));
  ++out.at;
  return true;
}

// Catch2: a rule, the test case's name, a rule, its place, a dotted rule; then "test.cc:6:
// FAILED:".
bool parse_catch(OutputLines& out, const SourceView& view, std::vector<Failure>& found) {
  const auto place = located(out.line());
  if (!place || place->rest != "FAILED:") return false;
  std::string name;
  for (size_t at = out.at; at-- > 0 && name.empty();) {
    if (!is_rule(out.lines[at], '.')) continue;
    // Upwards from the dots: place, rule, the name and its sections, rule.
    size_t top = at;
    for (size_t rules = 0; top > 0 && rules < 2;) rules += is_rule(out.lines[--top], '-');
    if (top + 1 < out.lines.size()) name = trimmed(out.lines[top + 1]);
    break;
  }
  Failure failure = failure_at(*place, view, name);
  ++out.at;
  if (!out.done() && !trimmed(out.line()).empty() && !trimmed(out.line()).starts_with("due to ")) {
    if (failure.source.empty()) failure.source = trimmed(out.line());
    ++out.at;
  }
  bool expansion = false;
  while (!out.done() && !is_rule(out.line(), '-') && !is_rule(out.line(), '=') &&
         !located(out.line())) {
    const std::string text(trimmed(out.line()));
    const bool heading = text == "with expansion:" || text.starts_with("due to ") ||
                         text.starts_with("with message") || text.starts_with("explicitly with");
    expansion = expansion || heading;
    if (!text.empty() && !heading && expansion && failure.messages.size() < kMessages) {
      failure.messages.push_back(text);
    }
    ++out.at;
  }
  found.push_back(std::move(failure));
  return true;
}

// GoogleTest: "[ RUN      ] Clamp.High", then "test.cc:6: Failure" and what was expected.
bool parse_googletest(OutputLines& out, const SourceView& view, std::vector<Failure>& found) {
  const auto place = located(out.line());
  if (!place || place->rest != "Failure") return false;
  constexpr std::string_view kRun = "[ RUN      ] ";
  std::string name;
  for (size_t at = out.at; at-- > 0 && name.empty();) {
    if (out.lines[at].starts_with(kRun)) name = trimmed(out.lines[at].substr(kRun.size()));
  }
  Failure failure = failure_at(*place, view, name);
  ++out.at;
  while (!out.done() && !trimmed(out.line()).empty() && !out.line().starts_with('[') &&
         !located(out.line())) {
    const std::string text(trimmed(out.line()));
    if (failure.messages.size() < kMessages && !text.starts_with("Expected equality of")) {
      failure.messages.push_back(text);
    }
    ++out.at;
  }
  found.push_back(std::move(failure));
  return true;
}

}  // namespace dsv4::tools
