#include "tools/write.h"

#include "tools/text.h"
#include "tools/workspace.h"

namespace dsv4::tools {

Outcome run_write(Workspace& workspace, const Arguments& arguments, std::stop_token) {
  const std::string path = workspace.files.cleaned(*arguments.text("path"));
  workspace.check_changeable(path);
  FileContent content;
  content.bytes = *arguments.text("content");
  const struct stat old = workspace.files.status(path);
  if (S_ISREG(old.st_mode)) content.mode = old.st_mode & 07777;
  workspace.history.before({path});
  workspace.files.write(path, content);
  workspace.history.after({path});
  const size_t lines = split_lines(content.bytes).size();
  return {.text = "Wrote " + shown(path) + ", " + std::to_string(lines) +
                  (lines == 1 ? " line." : " lines.")};
}

}  // namespace dsv4::tools
