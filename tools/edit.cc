#include "tools/edit.h"

#include <algorithm>

#include "tools/edit_plan.h"
#include "tools/error.h"
#include "tools/source_text.h"
#include "tools/text.h"
#include "tools/undefined_names.h"
#include "tools/workspace.h"

namespace dsv4::tools {
namespace {

constexpr size_t kShownLines = 20;
constexpr size_t kMostEdits = 100;  // of one call

// The new lines of the file that hold what the edit put there.
std::string changed_lines(std::string_view text, const Replacement& edit) {
  if (edit.removes_lines) return "";
  const auto line_at = [&](size_t at) {
    return static_cast<size_t>(
        std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
  };
  const std::vector<std::string_view> lines = split_lines(text);
  if (lines.empty()) return "";
  const size_t first = std::min(line_at(edit.span.begin), lines.size() - 1);
  const size_t last = std::min(line_at(edit.span.begin + edit.text.size()), lines.size() - 1);
  const size_t end = std::min(last + 1, first + kShownLines);
  std::string result = "\n" + numbered({lines.begin() + static_cast<std::ptrdiff_t>(first),
                                        lines.begin() + static_cast<std::ptrdiff_t>(end)},
                                       first + 1);
  if (last + 1 > end) result += "\n[... " + std::to_string(last + 1 - end) + " more lines ...]";
  return result;
}

std::string new_undefined_name(const PlannedEdit& planned) {
  const Language language = language_of(planned.path);
  const std::set<std::string> before = undefined_names(language, planned.source.text());
  for (const std::string& name : undefined_names(language, planned.after)) {
    if (!before.contains(name)) return name;
  }
  return "";
}

EditRequest request_of(const Workspace& workspace, const Arguments& arguments) {
  EditRequest request;
  request.path = arguments.text("path");
  if (request.path) request.path = workspace.files.cleaned(*request.path);
  request.symbol = arguments.text("symbol");
  request.old = with_plain_line_ends(arguments.text("old").value_or(""));
  request.replacement = with_plain_line_ends(arguments.text("new").value_or(""));
  return request;
}

// What a call asks for: one edit, or the list in `edits`, whose items say what differs from it.
std::vector<EditRequest> requests_of(const Workspace& workspace, const Arguments& arguments) {
  const EditRequest common = request_of(workspace, arguments);
  const std::vector<nlohmann::ordered_json> edits = arguments.records("edits");
  if (!arguments.given("edits")) return {common};
  if (arguments.given("old") || arguments.given("new")) {
    throw ToolError("edit: give either edits, or old and new.");
  }
  if (edits.empty() || edits.size() > kMostEdits) {
    throw ToolError("edit: edits holds " + std::to_string(edits.size()) +
                    " replacements; give between 1 and " + std::to_string(kMostEdits) + ".");
  }
  std::vector<EditRequest> requests;
  for (const nlohmann::ordered_json& edit : edits) {
    EditRequest request = request_of(workspace, Arguments(edit));
    if (!request.path && !request.symbol) request.symbol = common.symbol;
    if (!request.path) request.path = common.path;
    requests.push_back(std::move(request));
  }
  return requests;
}

PlannedEdit checked(PlannedEdit planned) {
  if (planned.changes()) return planned;
  throw ToolError("The edit changes nothing: old and new are the same.");
}

// Each upon what those before it leave; all of them, or none.
std::vector<PlannedEdit> plan_all(Workspace& workspace, const std::vector<EditRequest>& requests) {
  std::vector<PlannedEdit> all;
  if (requests.size() == 1) {
    all.push_back(checked(plan_edit(workspace, requests[0])));
    return all;
  }
  ChangedFiles changed;
  for (const EditRequest& request : requests) {
    try {
      all.push_back(checked(plan_edit(workspace, request, changed)));
    } catch (const ToolError& error) {
      throw ToolError("edit " + std::to_string(all.size() + 1) + " of " +
                      std::to_string(requests.size()) + ": " + error.what() +
                      " Nothing was changed.");
    }
    changed[all.back().path] = {all.back().bytes(), all.back().before.mode};
  }
  return all;
}

// The files as the edits leave them, which are written or stay as they were.
void write_all(Workspace& workspace, const std::vector<PlannedEdit>& edits) {
  ChangedFiles before;
  ChangedFiles after;
  std::vector<std::string> paths;
  for (const PlannedEdit& edit : edits) {
    if (before.emplace(edit.path, edit.before).second) paths.push_back(edit.path);
    after[edit.path] = {edit.bytes(), edit.before.mode};
  }
  for (const auto& [path, content] : before) {
    if (workspace.files.read(path).bytes == content.bytes) continue;
    throw ToolError(shown(path) + " was changed by something else just now; read it again.");
  }
  workspace.history.before(paths);
  size_t written = 0;
  try {
    for (; written < paths.size(); ++written) {
      workspace.files.write(paths[written], after.at(paths[written]));
    }
  } catch (const ToolError&) {
    while (written-- > 0) workspace.files.write(paths[written], before.at(paths[written]));
    throw;
  }
  workspace.history.after(paths);
}

// A file that parsed better before all of the edits than after them.
std::string syntax_warning(const std::vector<PlannedEdit>& edits, const std::string& path) {
  const auto of_path = [&](const PlannedEdit& edit) { return edit.path == path; };
  const auto first = std::find_if(edits.begin(), edits.end(), of_path);
  const auto last = std::find_if(edits.rbegin(), edits.rend(), of_path);
  const Language language = language_of(path);
  const SyntaxErrors errors = syntax_errors(language, last->after);
  if (errors.count <= syntax_errors(language, first->source.text()).count) return "";
  return "\nWarning: " + shown(path) + " no longer parses at line " +
         std::to_string(errors.first_line) + ".";
}

std::string reply(const std::vector<PlannedEdit>& edits) {
  std::string text;
  for (const PlannedEdit& edit : edits) {
    text += (text.empty() ? "" : "\n") + ("Edited " + shown(edit.path)) + "." +
            changed_lines(edit.after, edit.edit);
    if (!edit.edit.note.empty()) text += "\n" + edit.edit.note;
  }
  if (edits.size() == 1) {
    if (edits[0].new_errors > 0) text += syntax_warning(edits, edits[0].path);
    return text;
  }
  std::set<std::string> paths;
  for (const PlannedEdit& edit : edits) {
    if (paths.insert(edit.path).second) text += syntax_warning(edits, edit.path);
  }
  return text;
}

// The path and what it held before so many undos, when they touch it.
ChangedFiles restored(Workspace& workspace, const EditRequest& request, size_t undos) {
  ChangedFiles changed;
  if (undos == 0) return changed;
  std::string path = request.path.value_or("");
  if (request.symbol) path = workspace.symbols.resolve(request.path, *request.symbol).path;
  if (auto bytes = workspace.history.before_steps(path, undos)) {
    changed[path] = {*std::move(bytes), workspace.files.read(path).mode};
  }
  return changed;
}

}  // namespace

Outcome run_edit(Workspace& workspace, const Arguments& arguments, std::stop_token) {
  const std::vector<EditRequest> requests = requests_of(workspace, arguments);
  const std::vector<PlannedEdit> edits = plan_all(workspace, requests);
  write_all(workspace, edits);
  workspace.edited_symbol = requests.back().symbol.value_or("");
  return {.text = reply(edits)};
}

EditForecast forecast_edit(Workspace& workspace, const nlohmann::ordered_json& arguments,
                           size_t undos) {
  EditForecast forecast;
  if (!arguments.contains("new")) return forecast;
  for (const auto& value : arguments) {
    if (!value.is_string()) return forecast;
  }
  try {
    const EditRequest request = request_of(workspace, Arguments(arguments));
    const PlannedEdit planned = plan_edit(workspace, request, restored(workspace, request, undos));
    forecast.known = true;
    if (!planned.changes()) forecast.problem = "the edit changes nothing";
    forecast.breaks_syntax = planned.new_errors > 0;
    forecast.undefined = new_undefined_name(planned);
    forecast.coming = {planned.path, planned.bytes()};
  } catch (const ToolError& error) {
    // After an undo the file may hold what is not found now: only doing it will tell.
    if (undos == 0) forecast.problem = std::string("the edit cannot be done: ") + error.what();
  }
  return forecast;
}

}  // namespace dsv4::tools
