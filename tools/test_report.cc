#include "tools/test_report.h"

#include <algorithm>

#include "tools/error.h"
#include "tools/failures.h"
#include "tools/go_events.h"
#include "tools/source_text.h"
#include "tools/test_runs.h"
#include "tools/text.h"
#include "tools/workspace.h"

namespace dsv4::tools {
namespace {

constexpr size_t kFailures = 3;
constexpr size_t kSeen = 3;
constexpr size_t kLineShown = 200;
constexpr size_t kTailLines = 15;
constexpr size_t kSourceLimit = 2 << 20;

std::string without(std::string text, const std::string& prefix) {
  for (size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at)) {
    text.erase(at, prefix.size());
  }
  return text;
}

// Paths relative to the repository, whatever the working copy is called in there.
std::string with_repository_paths(std::string output, const Workspace& workspace) {
  output = without(std::move(output), workspace.files.root().string() + "/");
  return without(std::move(output), std::string(sandbox::kWorkDir) + "/");
}

// Reads each file once for a report.
class Sources {
 public:
  explicit Sources(Workspace& workspace) : workspace_(workspace) {}

  std::optional<std::string> line(const std::string& path, size_t number) {
    const std::vector<std::string>& lines = of(path);
    if (number < 1 || number > lines.size()) return std::nullopt;
    return lines[number - 1];
  }

  std::optional<std::string> around(const std::string& path, size_t number) {
    if (of(path).empty()) return std::nullopt;
    const auto definition = workspace_.symbols.around(path, number);
    return definition ? std::optional(definition->name) : std::nullopt;
  }

 private:
  const std::vector<std::string>& of(const std::string& path) {
    const auto known = files_.find(path);
    if (known != files_.end()) return known->second;
    std::vector<std::string> lines;
    try {
      const std::string bytes = workspace_.files.read(WorkTree::clean(path), kSourceLimit).bytes;
      for (const std::string_view text : split_lines(bytes)) lines.emplace_back(trimmed(text));
    } catch (const ToolError&) {  // not a file of the repository
    }
    return files_.emplace(path, std::move(lines)).first->second;
  }

  Workspace& workspace_;
  std::map<std::string, std::vector<std::string>> files_;
};

// The functions and classes outside the tests that one failure points at.
class Pointers {
 public:
  Pointers(Workspace& workspace, Sources& sources) : workspace_(workspace), sources_(sources) {}

  std::vector<std::string> of(const Failure& failure) {
    add_calls(failure.source);
    for (const Frame& frame : failure.frames) add_frame(frame);
    if (seen_.empty() && failure.whole_line) add_words(failure.source);
    if (seen_.empty()) add_calls_before(failure);
    return std::move(seen_);
  }

 private:
  bool full() const { return seen_.size() >= kSeen; }

  void add(const std::string& path, const std::string& name) {
    const std::string text = shown(path) + ": " + name;
    if (!full() && std::find(seen_.begin(), seen_.end(), text) == seen_.end()) {
      seen_.push_back(text);
    }
  }

  void add_name(const std::string& name) {
    if (full()) return;
    for (const Place& place : workspace_.symbols.find(name, SymbolIndex::Files::kWithoutTests)) {
      // A C++ constructor is found with its class, which is what is meant.
      const bool constructor = place.definition.full.ends_with("." + name + "." + name);
      if (!constructor) add(place.path, place.definition.name);
    }
  }

  void add_calls(std::string_view source) {
    for (const std::string& name : called_names(source)) add_name(name);
  }

  // A line such as "FAIL clamp: expected 3" names without calling.
  void add_words(std::string_view line) {
    std::string word;
    for (const char c : std::string(line) + " ") {
      if (std::isalnum(static_cast<unsigned char>(c)) || c == '_') {
        word += c;
      } else {
        if (word.size() > 1 && !std::isdigit(static_cast<unsigned char>(word[0]))) add_name(word);
        word.clear();
      }
    }
  }

  void add_frame(const Frame& frame) {
    if (is_test_file(frame.path) || full()) return;
    const auto name = sources_.around(frame.path, frame.line);
    if (name) add(frame.path, *name);
  }

  // `got = clamp(5, 0, 3)` above `assert got == 3`: upwards through the test's function.
  void add_calls_before(const Failure& failure) {
    if (failure.frames.empty()) return;
    const Frame& frame = failure.frames.front();
    const auto around = workspace_.symbols.around(frame.path, frame.line);
    const size_t first = around ? around->first_line : std::max<size_t>(frame.line, 10) - 9;
    for (size_t number = frame.line; number-- > first && seen_.empty() && number > 0;) {
      add_calls(sources_.line(frame.path, number).value_or(""));
    }
  }

  Workspace& workspace_;
  Sources& sources_;
  std::vector<std::string> seen_;
};

std::string block(const Failure& failure, const std::vector<std::string>& pointers) {
  std::string text =
      clipped(failure.whole_line ? failure.head : "FAIL " + failure.head, kLineShown);
  const auto add = [&](const std::string& line) {
    if (!line.empty()) text += "\n  " + clipped(line, kLineShown);
  };
  const bool has_source = !failure.whole_line;
  if (has_source && !failure.message_first) add(failure.source);
  for (const std::string& message : failure.messages) {
    if (message != failure.source) add(message);
  }
  if (has_source && failure.message_first) add(failure.source);
  for (const std::string& pointer : pointers) add("see " + pointer);
  return text;
}

std::string tail(std::string_view output) {
  const std::vector<std::string_view> lines = split_lines(output);
  const size_t first = lines.size() > kTailLines ? lines.size() - kTailLines : 0;
  std::string text;
  for (size_t k = first; k < lines.size(); ++k) {
    text += (text.empty() ? "" : "\n") + clipped(lines[k], kLineShown);
  }
  return text.empty() ? "They printed nothing." : text;
}

}  // namespace

std::string failure_report(Workspace& workspace, const sandbox::Result& result) {
  const std::string output =
      with_repository_paths(without_go_events(valid_utf8(result.output)), workspace);
  Sources sources(workspace);
  const SourceView view{
      [&](const std::string& path, size_t line) { return sources.line(path, line); },
      [&](const std::string& path, size_t line) { return sources.around(path, line); }};
  std::string text = "The tests fail: " + sandbox::describe(result) + ".";
  if (!result.denied.empty()) text += " " + sandbox::describe_denied(result);
  size_t count = 0;
  for (const Failure& failure : find_failures(output, view)) {
    if (count++ == kFailures) break;
    text += "\n" + block(failure, Pointers(workspace, sources).of(failure));
  }
  if (count == 0) text += "\n" + tail(output);
  const std::string counts = read_test_run(output).counts();
  return counts.empty() ? text : text + "\n(" + counts + ")";
}

}  // namespace dsv4::tools
