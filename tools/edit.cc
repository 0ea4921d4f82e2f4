#include "tools/edit.h"

#include <algorithm>

#include "tools/edit_match.h"
#include "tools/error.h"
#include "tools/source_text.h"
#include "tools/text.h"
#include "tools/undefined_names.h"
#include "tools/workspace.h"

namespace dsv4::tools {
namespace {

constexpr size_t kShownLines = 20;

// The file and the part of it that a call means.
struct Target {
  std::string path;
  std::optional<Definition> symbol;
  FileContent content;
};

// The symbol's definition in the content of the target.
Definition definition_in(const Target& target, const std::string& symbol) {
  const SourceText source(target.content.bytes);
  for (Definition& found : definitions(language_of(target.path), source.text())) {
    if (names(symbol, found)) return std::move(found);
  }
  throw ToolError("there is no " + shown(symbol) + " in " + shown(target.path) + ".");
}

// undos: steps to take back first, in thought.
Target find_target(Workspace& workspace, const Arguments& arguments, size_t undos) {
  Target target;
  std::optional<std::string> path = arguments.text("path");
  const auto symbol = arguments.text("symbol");
  if (path) path = WorkTree::clean(*path);
  if (symbol) {
    Place place = workspace.symbols.resolve(path, *symbol);
    target.path = std::move(place.path);
    target.symbol = std::move(place.definition);
  } else {
    target.path = *path;
  }
  target.content = workspace.files.read(target.path);
  if (auto restored = workspace.history.before_steps(target.path, undos)) {
    target.content.bytes = *std::move(restored);
    if (symbol) target.symbol = definition_in(target, *symbol);
  }
  if (is_binary(target.content.bytes)) {
    throw ToolError(shown(target.path) + " is a binary file; edit changes text only, use bash.");
  }
  return target;
}

std::string place_name(const Target& target) {
  return shown(target.path) + (target.symbol ? ": " + target.symbol->name : "");
}

// The lines of a definition, whole, so that indentation before it belongs to it.
Span whole_lines(std::string_view text, const Definition& symbol) {
  const size_t newline =
      symbol.begin == 0 ? std::string_view::npos : text.rfind('\n', symbol.begin - 1);
  const size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
  const bool alone = trimmed(text.substr(begin, symbol.begin - begin)).empty();
  return {alone ? begin : symbol.begin, symbol.end};
}

Replacement replace_definition(std::string_view text, const Definition& symbol,
                               std::string_view replacement) {
  const Span span = whole_lines(text, symbol);
  while (replacement.starts_with('\n')) replacement.remove_prefix(1);
  replacement = replacement.substr(0, replacement.find_last_not_of(" \t\n") + 1);
  if (replacement.empty()) {
    const bool line_end = span.end < text.size() && text[span.end] == '\n';
    return {.span = {span.begin, span.end + (line_end ? 1 : 0)}, .removes_lines = true};
  }
  const std::string_view lines = text.substr(span.begin, span.end - span.begin);
  Replacement result{.span = span, .text = reindented(replacement, "", indentation(lines))};
  const bool is_type = symbol.kind != "function" && symbol.kind != "method";
  if (is_type && lines.ends_with(';') && !result.text.ends_with(';')) result.text += ';';
  return result;
}

[[noreturn]] void tell_miss(const Miss& miss, const Target& target, std::string_view text) {
  std::string message = "old was not found in " + place_name(target) + ".";
  if (miss.closest.empty()) throw ToolError(message + " Use read to see what is there.");
  message += " The closest lines are:";
  const std::vector<std::string_view> lines = split_lines(text);
  for (const size_t line : miss.closest) {
    message += "\n" + std::to_string(line) + "\t" + clipped(lines[line - 1], 300);
  }
  throw ToolError(message);
}

[[noreturn]] void tell_several(const Several& several, const Target& target) {
  std::string lines;
  for (size_t k = 0; k < std::min<size_t>(several.lines.size(), 10); ++k) {
    lines += (k > 0 ? ", " : "") + std::to_string(several.lines[k]);
  }
  const size_t count = several.lines.size();
  throw ToolError("old matches " + std::to_string(count) +
                  (count == Several::kMost ? " or more" : "") + " places in " + place_name(target) +
                  " (lines " + lines + (count > 10 ? ", ..." : "") +
                  "): add a line around it or give symbol.");
}

Replacement plan_edit(const Target& target, std::string_view text, const std::string& old,
                      const std::string& replacement) {
  if (old.empty()) return replace_definition(text, *target.symbol, replacement);
  const Span within = target.symbol ? whole_lines(text, *target.symbol) : Span{0, text.size()};
  Match found = match(text, within, old, replacement);
  if (const Miss* miss = std::get_if<Miss>(&found)) tell_miss(*miss, target, text);
  if (const Several* several = std::get_if<Several>(&found)) tell_several(*several, target);
  return std::get<Replacement>(std::move(found));
}

std::string edited_text(std::string_view text, const Replacement& edit) {
  return std::string(text.substr(0, edit.span.begin)) + edit.text +
         std::string(text.substr(edit.span.end));
}

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

// An edit thought through to the text it leaves.
struct Planned {
  Target target;
  SourceText source;
  Replacement edit;
  std::string after;
  size_t new_errors = 0;  // places that no longer parse, over those there were
  size_t error_line = 0;  // the first that does not parse, from 1

  bool changes() const { return after != source.text(); }
  std::string bytes() const { return source.replaced(edit.span.begin, edit.span.end, edit.text); }
};

Planned plan(Workspace& workspace, const Arguments& arguments, size_t undos) {
  const std::string old = with_plain_line_ends(arguments.text("old").value_or(""));
  const std::string replacement = with_plain_line_ends(*arguments.text("new"));
  const bool has_symbol = arguments.text("symbol").has_value();
  if (old.empty() && !has_symbol) {
    throw ToolError("edit: give old, or symbol to replace its whole definition.");
  }
  if (!arguments.text("path") && !has_symbol) throw ToolError("edit: give path or symbol.");
  Target target = find_target(workspace, arguments, undos);
  SourceText source(target.content.bytes);
  const std::string& text = source.text();

  Replacement edit = plan_edit(target, text, old, replacement);
  std::string after = edited_text(text, edit);
  const Language language = language_of(target.path);
  const size_t before = syntax_errors(language, text).count;
  SyntaxErrors errors = syntax_errors(language, after);
  if (errors.count > before && edit.literal) {
    Replacement literal = edit;
    literal.text = *edit.literal;
    const std::string other = edited_text(text, literal);
    const SyntaxErrors other_errors = syntax_errors(language, other);
    if (other_errors.count <= before) {
      edit = literal;
      after = other;
      errors = other_errors;
    }
  }
  const size_t new_errors = errors.count > before ? errors.count - before : 0;
  return {std::move(target), std::move(source), std::move(edit),
          std::move(after),  new_errors,        errors.first_line};
}

std::string new_undefined_name(const Planned& planned) {
  const Language language = language_of(planned.target.path);
  const std::set<std::string> before = undefined_names(language, planned.source.text());
  for (const std::string& name : undefined_names(language, planned.after)) {
    if (!before.contains(name)) return name;
  }
  return "";
}

}  // namespace

Outcome run_edit(Workspace& workspace, const Arguments& arguments, std::stop_token) {
  const Planned planned = plan(workspace, arguments, 0);
  if (!planned.changes()) {
    throw ToolError("The edit changes nothing: old and new are the same.");
  }
  const std::string& path = planned.target.path;
  workspace.history.before(path);
  workspace.files.write(path, {planned.bytes(), planned.target.content.mode});
  workspace.history.after(path);
  workspace.edited_symbol = arguments.text("symbol").value_or("");

  Outcome outcome{.text =
                      "Edited " + shown(path) + "." + changed_lines(planned.after, planned.edit)};
  if (!planned.edit.note.empty()) outcome.text += "\n" + planned.edit.note;
  if (planned.new_errors > 0) {
    outcome.text += "\nWarning: " + shown(path) + " no longer parses at line " +
                    std::to_string(planned.error_line) + ".";
  }
  return outcome;
}

EditForecast forecast_edit(Workspace& workspace, const nlohmann::ordered_json& arguments,
                           size_t undos) {
  EditForecast forecast;
  if (!arguments.contains("new")) return forecast;
  for (const auto& value : arguments) {
    if (!value.is_string()) return forecast;
  }
  try {
    const Planned planned = plan(workspace, Arguments(arguments), undos);
    forecast.known = true;
    if (!planned.changes()) forecast.problem = "the edit changes nothing";
    forecast.breaks_syntax = planned.new_errors > 0;
    forecast.undefined = new_undefined_name(planned);
    forecast.coming = {planned.target.path, planned.bytes()};
  } catch (const ToolError& error) {
    // After an undo the file may hold what is not found now: only doing it will tell.
    if (undos == 0) forecast.problem = std::string("the edit cannot be done: ") + error.what();
  }
  return forecast;
}

}  // namespace dsv4::tools
