#include "tools/choices.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "tools/error.h"
#include "tools/source_text.h"
#include "tools/walk.h"

namespace dsv4::tools {
namespace {

constexpr size_t kMostChoices = 2000;
constexpr size_t kLongestBlock = 12;  // lines of `old`
constexpr size_t kSourceLimit = 1 << 20;

using Choices = std::optional<std::vector<std::string>>;

Choices bounded(std::vector<std::string> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  if (values.empty() || values.size() > kMostChoices) return std::nullopt;
  return values;
}

// A definition's names that mean it and nothing else. Definitions in tests can be read, but are not
// offered for editing: the tests say what is right.
Choices symbols(Workspace& workspace, const std::optional<std::string>& path, bool with_tests) {
  std::map<std::string, int> uses;
  for (const std::string& file : project_files(workspace.files)) {
    if (path ? file != *path : !with_tests && is_test_file(file)) continue;
    if (language_of(file) == Language::kNone || is_data(language_of(file))) continue;
    try {
      const FileContent content = workspace.files.read(file, kSourceLimit);
      for (const Definition& definition : workspace.symbols.of(file, content.bytes)) {
        ++uses[definition.name];
        const size_t at = definition.name.find_last_of(".:");
        if (at != std::string::npos) ++uses[definition.name.substr(at + 1)];
      }
    } catch (const ToolError&) {  // one that cannot be read defines nothing
    }
  }
  std::vector<std::string> names;
  for (const auto& [name, count] : uses) {
    if (count == 1) names.push_back(name);
  }
  return bounded(std::move(names));
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

size_t indentation_of(std::string_view line) {
  return std::min(line.find_first_not_of(" \t"), line.size());
}

// A text of one line is looked for inside lines as well.
bool stands_once(std::string_view text, std::string_view block) {
  const size_t at = text.find(block);
  return at == std::string_view::npos || text.find(block, at + 1) == std::string_view::npos;
}

// Runs of whole lines as `edit` wants them: written as if the first one stood at the margin, so
// that a run ends before a line that is indented less. One that stands in several places, or begins
// like another place, is left out until it is long enough to tell them apart.
Choices blocks(std::string_view text) {
  const auto lines = lines_of(text);
  std::map<std::string, int> uses;
  for (size_t first = 0; first < lines.size(); ++first) {
    const size_t indent = indentation_of(lines[first]);
    if (indent == lines[first].size()) continue;
    std::string block(lines[first].substr(indent));
    ++uses[block];
    for (size_t last = first + 1; last < std::min(lines.size(), first + kLongestBlock); ++last) {
      const bool blank = indentation_of(lines[last]) == lines[last].size();
      if (!blank && indentation_of(lines[last]) < indent) break;
      block += '\n';
      if (blank) continue;
      block += lines[last].substr(indent);
      ++uses[block];
    }
    if (uses.size() > kMostChoices) return std::nullopt;
  }
  std::vector<std::string> values;
  for (const auto& [block, count] : uses) {
    if (count == 1 && stands_once(text, block)) values.push_back(block);
  }
  return bounded(std::move(values));
}

std::optional<std::string> text_of(const nlohmann::ordered_json& arguments, const char* name) {
  const auto found = arguments.find(name);
  if (found == arguments.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

bool changes_files(const std::string& tool) {
  return tool == "edit" || tool == "write" || tool == "bash";
}

// The file as it will be once the turn's earlier calls are done.
std::string coming_text(Workspace& workspace, const std::string& path, size_t undos) {
  const auto restored = workspace.history.before_steps(path, undos);
  return SourceText(restored ? *restored : workspace.files.read(path, kSourceLimit).bytes).text();
}

Choices old_text(Workspace& workspace, const std::vector<std::string>& earlier,
                 const nlohmann::ordered_json& arguments) {
  auto path = text_of(arguments, "path");
  const auto symbol = text_of(arguments, "symbol");
  if (path) path = workspace.files.cleaned(*path);
  if (!symbol && !path) return std::nullopt;
  if (std::any_of(earlier.begin(), earlier.end(), changes_files)) return std::nullopt;
  if (!path) path = workspace.symbols.resolve(path, *symbol).path;
  const auto undos = static_cast<size_t>(std::count(earlier.begin(), earlier.end(), "undo"));
  const std::string text = coming_text(workspace, *path, undos);
  if (!symbol) return blocks(text);
  for (const Definition& definition : definitions(language_of(*path), text)) {
    if (!names(*symbol, definition)) continue;
    size_t begin = definition.begin;
    while (begin > 0 && (text[begin - 1] == ' ' || text[begin - 1] == '\t')) --begin;
    return blocks(std::string_view(text).substr(begin, definition.end - begin));
  }
  return std::nullopt;
}

// Those that are not spent, when there are any.
Choices without_spent(const WorkspaceOptions& options, Choices symbols) {
  if (!symbols || !options.spent || !options.leave_spent) return symbols;
  std::vector<std::string> left;
  for (const std::string& symbol : *symbols) {
    if (!options.spent->spent(symbol)) left.push_back(symbol);
  }
  return left.empty() ? symbols : Choices(std::move(left));
}

}  // namespace

Choices argument_choices(Workspace& workspace, const std::vector<std::string>& earlier,
                         const std::string& tool, const std::string& parameter,
                         const nlohmann::ordered_json& arguments) {
  try {
    const bool reads = tool == "read" || tool == "symbols";
    if (!reads && tool != "edit") return std::nullopt;
    if (parameter == "path") return bounded(project_files(workspace.files));
    if (parameter == "symbol") {
      Choices all = symbols(workspace, text_of(arguments, "path"), reads);
      return reads ? all : without_spent(workspace.options, std::move(all));
    }
    if (parameter == "old") return old_text(workspace, earlier, arguments);
  } catch (const ToolError&) {  // the call itself will say what is wrong
  }
  return std::nullopt;
}

}  // namespace dsv4::tools
