#pragma once

#include <map>
#include <optional>
#include <string>

#include "tools/edit_match.h"
#include "tools/source_text.h"
#include "tools/worktree.h"

namespace dsv4::tools {

struct Workspace;

// One replacement as it was asked for, line ends plain.
struct EditRequest {
  std::optional<std::string> path{};  // cleaned
  std::optional<std::string> symbol{};
  std::string old{};  // empty: the symbol's whole definition
  std::string replacement{};
};

// An edit thought through to the text it leaves.
struct PlannedEdit {
  std::string path;
  FileContent before;
  SourceText source;  // of before
  Replacement edit;
  std::string after;      // text
  size_t new_errors = 0;  // places that no longer parse, over those there were
  size_t error_line = 0;  // the first that does not parse, from 1

  bool changes() const { return after != source.text(); }
  std::string bytes() const { return source.replaced(edit.span.begin, edit.span.end, edit.text); }
};

// Files that hold something else than what is on disk.
using ChangedFiles = std::map<std::string, FileContent>;

// Changes nothing. Throws ToolError when the edit cannot be done.
PlannedEdit plan_edit(Workspace& workspace, const EditRequest& request,
                      const ChangedFiles& changed = {});

}  // namespace dsv4::tools
