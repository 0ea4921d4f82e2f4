#include "tools/edit_plan.h"

#include <algorithm>

#include "tools/error.h"
#include "tools/text.h"
#include "tools/workspace.h"

namespace dsv4::tools {
namespace {

// The file and the part of it that is meant.
struct Target {
  std::string path;
  std::optional<Definition> symbol;
  FileContent content;
};

// The symbol's definition in what the file holds by now.
Definition definition_in(const Target& target, const std::string& symbol) {
  const SourceText source(target.content.bytes);
  for (Definition& found : definitions(language_of(target.path), source.text())) {
    if (names(symbol, found)) return std::move(found);
  }
  throw ToolError("there is no " + shown(symbol) + " in " + shown(target.path) + ".");
}

Target find_target(Workspace& workspace, const EditRequest& request, const ChangedFiles& changed) {
  Target target;
  const auto here = request.path ? changed.find(*request.path) : changed.end();
  if (request.symbol && here == changed.end()) {
    Place place = workspace.symbols.resolve(request.path, *request.symbol);
    target.path = std::move(place.path);
    target.symbol = std::move(place.definition);
  } else {
    target.path = *request.path;
  }
  workspace.check_changeable(target.path);
  const auto other = changed.find(target.path);
  if (other == changed.end()) {
    target.content = workspace.files.read(target.path);
  } else {
    target.content = other->second;
    if (request.symbol) target.symbol = definition_in(target, *request.symbol);
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

Replacement replacement_in(const Target& target, std::string_view text, const std::string& old,
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

}  // namespace

PlannedEdit plan_edit(Workspace& workspace, const EditRequest& request,
                      const ChangedFiles& changed) {
  if (request.old.empty() && !request.symbol) {
    throw ToolError("edit: give old, or symbol to replace its whole definition.");
  }
  if (!request.path && !request.symbol) throw ToolError("edit: give path or symbol.");
  Target target = find_target(workspace, request, changed);
  SourceText source(target.content.bytes);
  const std::string& text = source.text();

  Replacement edit = replacement_in(target, text, request.old, request.replacement);
  std::string after = edited_text(text, edit);
  const Language language = language_of(target.path);
  Syntax syntax(language, text);
  const size_t before = syntax.errors().count;
  syntax.update(after);
  SyntaxErrors errors = syntax.errors();
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
  return {std::move(target.path), std::move(target.content), std::move(source),
          std::move(edit),        std::move(after),          new_errors,
          errors.first_line};
}

}  // namespace dsv4::tools
