#include "tools/registry.h"

#include "tools/bash.h"
#include "tools/diff.h"
#include "tools/edit.h"
#include "tools/finish.h"
#include "tools/list.h"
#include "tools/plan.h"
#include "tools/read.h"
#include "tools/search.h"
#include "tools/symbols.h"
#include "tools/test.h"
#include "tools/undo.h"
#include "tools/write.h"

namespace dsv4::tools {

std::vector<Tool> registry() {
  return {
      {"plan",
       "Set the checklist shown to the user.",
       {{"items", Type::kStrings, "short steps, in order", true}},
       run_plan},
      {"list",
       "List a directory.",
       {{"path", Type::kString, "directory; the root when left out"}},
       run_list},
      {"read",
       "Read a file, a range of its lines, or one function or class by name.",
       {{"path", Type::kString, "file; may be left out when symbol is unique"},
        {"symbol", Type::kString, "function, method or class"},
        {"first", Type::kInteger, "first line, from 1"},
        {"last", Type::kInteger, "last line"}},
       run_read},
      {"search",
       "Search the files with a regular expression.",
       {{"pattern", Type::kString, "regular expression", true},
        {"path", Type::kString, "file or directory to search in"},
        {"glob", Type::kString, "only files that match, such as *.py"}},
       run_search},
      {"symbols",
       "Outline the functions and classes of a file.",
       {{"path", Type::kString, "file", true, false, "symbol"},
        {"symbol", Type::kString, "instead: where this is defined and used, in path or everywhere",
         false, true}},
       run_symbols},
      {"edit",
       "Replace old, which must occur once, by new; or with symbol and without old, the whole "
       "definition of symbol by new.",
       {{"path", Type::kString, "file; may be left out when symbol is unique"},
        {"symbol", Type::kString, "function, method or class to edit in"},
        {"old", Type::kString, "text to replace, whole lines"},
        {"new", Type::kString, "text to put there", true, false, "edits"},
        {"edits",
         Type::kRecords,
         "instead of old and new: several replacements, each upon those before it, all or none",
         false,
         true,
         nullptr,
         {{"path", Type::kString, "file, when it is not the call's"},
          {"symbol", Type::kString, "function, method or class, when it is not the call's"},
          {"old", Type::kString, "text to replace, whole lines"},
          {"new", Type::kString, "text to put there", true}}}},
       run_edit},
      {"write",
       "Create a file or replace all of it.",
       {{"path", Type::kString, "file", true},
        {"content", Type::kString, "the whole new content", true}},
       run_write},
      {"bash",
       "Run a shell command in the repository, inside the sandbox.",
       {{"command", Type::kString, "what to run"},
        {"timeout", Type::kInteger, "seconds, 120 when left out"},
        {"background", Type::kBoolean, "true: start it as a job and go on"},
        {"status", Type::kInteger, "number of a job: what it has written"},
        {"stop", Type::kInteger, "number of a job to end"},
        {"terminal", Type::kBoolean, "true: on a terminal, for programs that ask for one", false,
         true}},
       run_bash},
      {"test",
       "Run the task's tests: failures first, with the functions they point at.",
       {{"failed", Type::kBoolean, "true: only those that failed before", false, true}},
       run_test},
      {"diff", "Show all changes made so far.", {}, run_diff},
      {"undo", "Take back the last change.", {}, run_undo},
      {"finish",
       "End the work.",
       {{"summary", Type::kString, "one sentence: what was wrong and what was changed", true}},
       run_finish},
  };
}

}  // namespace dsv4::tools
