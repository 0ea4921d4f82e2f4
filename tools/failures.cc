#include "tools/failures.h"

#include <algorithm>
#include <cctype>

#include "tools/syntax.h"
#include "tools/text.h"

namespace dsv4::tools {
namespace {

constexpr size_t kLines = 200'000;
constexpr size_t kLineLimit = 2000;
constexpr size_t kFailures = 50;  // looked at before repeats are dropped

// Without escape sequences and control bytes.
std::string plain(std::string_view line) {
  std::string result = without_escapes(line);
  std::erase_if(result, [](char c) { return static_cast<unsigned char>(c) < 32 && c != '\t'; });
  return result;
}

bool is_banner(std::string_view line) {
  return line.size() >= 10 && line.find_first_not_of(line[0]) == std::string_view::npos &&
         (line[0] == '-' || line[0] == '=' || line[0] == '.' || line[0] == '~');
}

// unittest's "FAIL: test_x (...)" announces a traceback; "FAILED (failures=1)" and CTest's heading
// sum up.
bool announces(const OutputLines& out) {
  const std::string_view line = trimmed(out.line());
  return is_banner(out.peek(1)) || line.starts_with("FAILED (") || line == "FAILED" ||
         line == "FAIL";
}

}  // namespace

std::optional<Located> located(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos || colon > 500) return std::nullopt;
  Located result;
  result.path = std::string(trimmed(line.substr(0, colon)));
  if (result.path.starts_with("./")) result.path.erase(0, 2);
  size_t at = colon + 1;
  const size_t digits = at;
  while (at < line.size() && std::isdigit(static_cast<unsigned char>(line[at])) &&
         at - digits < 8) {
    result.line = result.line * 10 + static_cast<size_t>(line[at++] - '0');
  }
  if (at == digits || (at < line.size() && line[at] != ':')) return std::nullopt;
  ++at;
  size_t column = at;
  while (column < line.size() && std::isdigit(static_cast<unsigned char>(line[column]))) ++column;
  if (column > at && column < line.size() && line[column] == ':') at = column + 1;
  result.rest = at < line.size() ? std::string(trimmed(line.substr(at))) : "";
  return result;
}

// Lines a test script printed itself, and at last anything that names a place in the repository.
bool parse_own_line(OutputLines& out, const SourceView& view, std::vector<Failure>& found) {
  const std::string line(trimmed(out.line()));
  const bool fail = line.starts_with("FAIL") && !out.line().starts_with(' ') &&
                    (line.size() == 4 || !std::isalpha(static_cast<unsigned char>(line[4])) ||
                     line.starts_with("FAILED"));
  if (fail && !announces(out)) {
    Failure failure{.head = line, .whole_line = true};
    // pytest's closing list and go's line for a package repeat what was said before.
    failure.weak = (line.starts_with("FAILED ") && line.find("::") != std::string::npos) ||
                   line.starts_with("FAIL\t");
    failure.source = line;
    found.push_back(std::move(failure));
    ++out.at;
    return true;
  }
  // "2 - shapes (Failed)", "(SEGFAULT)", "(Timeout)"
  const size_t digits = std::min(line.find_first_not_of("0123456789"), line.size());
  const bool listed = digits > 0 && line.substr(digits).starts_with(" - ") && line.ends_with(')');
  if (listed || (line.ends_with("(Failed)") && line.find(" - ") != std::string::npos)) {
    found.push_back(
        {.head = "FAIL " + line.substr(line.find(" - ") + 3), .whole_line = true, .weak = true});
    ++out.at;
    return true;
  }
  const auto place = located(line);
  if (!place || place->rest.empty()) return false;
  const auto source = view.line(place->path, place->line);
  if (!source) return false;
  Failure failure{.head = place->path, .source = *source, .messages = {place->rest}, .weak = true};
  const auto around = view.around(place->path, place->line);
  if (around) failure.head += ": " + *around;
  failure.frames.push_back({place->path, place->line, around.value_or("")});
  found.push_back(std::move(failure));
  ++out.at;
  return true;
}

std::vector<Failure> find_failures(std::string_view output, const SourceView& view) {
  OutputLines out;
  for (const std::string_view line : split_lines(output)) {
    if (out.lines.size() == kLines) break;
    out.lines.push_back(plain(line.substr(0, kLineLimit)));
  }
  std::vector<Failure> found;
  while (!out.done() && found.size() < kFailures) {
    const bool parsed = parse_python_traceback(out, view, found) ||
                        parse_pytest(out, view, found) || parse_c_assert(out, view, found) ||
                        parse_compiler(out, view, found) || parse_catch(out, view, found) ||
                        parse_googletest(out, view, found) || parse_go(out, view, found) ||
                        parse_cargo(out, view, found) || parse_rustc(out, view, found) ||
                        parse_tap(out, view, found) || parse_node(out, view, found) ||
                        parse_mocha(out, view, found) || parse_jest(out, view, found) ||
                        parse_vitest(out, view, found) || parse_script_error(out, view, found) ||
                        parse_own_line(out, view, found);
    if (!parsed) ++out.at;
  }
  if (std::any_of(found.begin(), found.end(), [](const Failure& f) { return !f.weak; })) {
    std::erase_if(found, [](const Failure& f) { return f.weak; });
  }
  std::vector<Failure> result;
  for (Failure& failure : found) {
    const bool repeated = std::any_of(result.begin(), result.end(), [&](const Failure& other) {
      return other.head == failure.head && other.source == failure.source &&
             other.messages == failure.messages;
    });
    if (!repeated) result.push_back(std::move(failure));
  }
  return result;
}

}  // namespace dsv4::tools
