#include "tools/list.h"

#include "tools/error.h"
#include "tools/ignore.h"
#include "tools/workspace.h"

namespace dsv4::tools {

Outcome run_list(Workspace& workspace, const Arguments& arguments, std::stop_token) {
  constexpr size_t kEntries = 2000;
  const std::string path = workspace.files.cleaned(arguments.text("path").value_or(""));
  if (S_ISREG(workspace.files.status(path).st_mode)) {
    throw ToolError(shown(path) + " is a file; use read.");
  }
  const Ignore ignore(workspace.files);
  std::string text;
  size_t count = 0;
  for (const DirectoryEntry& entry : workspace.files.entries(path)) {
    const std::string name = path.empty() ? entry.name : path + "/" + entry.name;
    const bool is_directory = S_ISDIR(entry.type);
    if (ignore.ignored(name, is_directory)) continue;
    if (++count > kEntries) continue;
    text += (text.empty() ? "" : "\n") + shown(name) + (is_directory ? "/" : "");
  }
  if (count == 0) return {.text = "The directory is empty."};
  if (count > kEntries) {
    text += "\n[... " + std::to_string(count - kEntries) + " more; search finds files by glob ...]";
  }
  return {.text = text};
}

}  // namespace dsv4::tools
