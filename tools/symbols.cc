#include "tools/symbols.h"

#include "tools/error.h"
#include "tools/text.h"
#include "tools/workspace.h"

namespace dsv4::tools {
namespace {

constexpr size_t kUses = 200;
constexpr size_t kLineShown = 200;

std::string outline(Workspace& workspace, const std::string& path) {
  const FileContent content = workspace.files.read(path);
  if (language_of(path) == Language::kNone) {
    throw ToolError(shown(path) + " is in no language that has an outline; use read or search.");
  }
  std::string text;
  for (const Definition& definition : workspace.symbols.of(path, content.bytes)) {
    text += (text.empty() ? "" : "\n") + std::to_string(definition.first_line) + "\t" +
            definition.kind + " " + shown(definition.name);
  }
  return text.empty() ? "No functions or classes in " + shown(path) + "." : text;
}

// Where a symbol is defined, and where its name is used.
std::string everywhere(Workspace& workspace, const std::string& symbol,
                       const std::optional<std::string>& path) {
  const std::vector<Place> places = path ? workspace.symbols.find_in(*path, symbol)
                                         : workspace.symbols.find(symbol, SymbolIndex::Files::kAll);
  const std::vector<Use> uses = workspace.symbols.uses(symbol, path, kUses + 1);
  if (places.empty() && uses.empty()) {
    throw ToolError("nothing is called " + shown(symbol) + (path ? " in " + shown(*path) : "") +
                    "; search finds text.");
  }
  std::string text = places.empty() ? "Defined nowhere here." : "Defined:";
  for (const Place& place : places) {
    text += "\n" + shown(place.path) + ":" + std::to_string(place.definition.first_line) + ":" +
            place.definition.kind + " " + shown(place.definition.name);
  }
  text += uses.empty() ? "\nUsed nowhere." : "\nUsed:";
  for (size_t k = 0; k < std::min(uses.size(), kUses); ++k) {
    text += "\n" + shown(uses[k].path) + ":" + std::to_string(uses[k].line) + ":" +
            clipped(uses[k].text, kLineShown);
  }
  if (uses.size() > kUses) text += "\n[... more uses; give path ...]";
  return text;
}

}  // namespace

Outcome run_symbols(Workspace& workspace, const Arguments& arguments, std::stop_token) {
  std::optional<std::string> path = arguments.text("path");
  if (path) path = workspace.files.cleaned(*path);
  const auto symbol = arguments.text("symbol");
  if (symbol) return {.text = everywhere(workspace, *symbol, path)};
  return {.text = outline(workspace, *path)};
}

}  // namespace dsv4::tools
