#include "tools/symbols.h"

#include "tools/error.h"
#include "tools/workspace.h"

namespace dsv4::tools {

Outcome run_symbols(Workspace& workspace, const Arguments& arguments, std::stop_token) {
  const std::string path = WorkTree::clean(*arguments.text("path"));
  const FileContent content = workspace.files.read(path);
  if (language_of(path) == Language::kNone) {
    throw ToolError(shown(path) + " is neither Python nor C++; use read or search.");
  }
  std::string text;
  for (const Definition& definition : workspace.symbols.of(path, content.bytes)) {
    text += (text.empty() ? "" : "\n") + std::to_string(definition.first_line) + "\t" +
            definition.kind + " " + definition.name;
  }
  return {.text = text.empty() ? "No functions or classes in " + shown(path) + "." : text};
}

}  // namespace dsv4::tools
