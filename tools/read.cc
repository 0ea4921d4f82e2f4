#include "tools/read.h"

#include <algorithm>

#include "tools/error.h"
#include "tools/source_text.h"
#include "tools/text.h"
#include "tools/workspace.h"

namespace dsv4::tools {

namespace {

struct Range {
  size_t first = 1;
  size_t last = 0;
};

// The lines asked for, within a file of `count` lines.
Range asked(const Arguments& arguments, Range range, size_t count, const std::string& path) {
  const auto first = arguments.number("first");
  const auto last = arguments.number("last");
  const std::string lines = shown(path) + " has " + std::to_string(count) + " lines";
  if (first && (*first < 1 || static_cast<uint64_t>(*first) > std::max<size_t>(count, 1))) {
    throw ToolError(lines + "; give first between 1 and that.");
  }
  if (first) range.first = static_cast<size_t>(*first);
  if (last && (*last < 1 || static_cast<uint64_t>(*last) < range.first)) {
    throw ToolError(lines + "; give last no less than first, " + std::to_string(range.first) + ".");
  }
  if (last) range.last = static_cast<size_t>(*last);
  range.last = std::min(range.last, count);
  return range;
}

}  // namespace

Outcome run_read(Workspace& workspace, const Arguments& arguments, std::stop_token) {
  std::optional<std::string> path = arguments.text("path");
  const auto symbol = arguments.text("symbol");
  if (!path && !symbol) throw ToolError("read: give path or symbol.");
  if (path) path = workspace.files.cleaned(*path);
  std::optional<Place> place;
  if (symbol) {
    place = workspace.symbols.resolve(path, *symbol);
    path = place->path;
  }
  std::optional<std::string> bytes = workspace.outputs.find(*path);
  if (!bytes) bytes = workspace.files.read(*path).bytes;
  if (is_binary(*bytes)) {
    throw ToolError(shown(*path) + " is a binary file of " + std::to_string(bytes->size()) +
                    " bytes; use bash to look into it.");
  }
  const SourceText source(std::move(*bytes));
  const std::vector<std::string_view> lines = split_lines(source.text());
  Range range{1, lines.size()};
  if (place) range = {place->definition.first_line, place->definition.last_line};
  range = asked(arguments, range, lines.size(), *path);

  std::string text = shown(*path);
  if (place) text += ": " + place->definition.name;
  const std::string total = std::to_string(lines.size());
  const bool whole = !place && range.first == 1 && range.last == lines.size();
  if (whole) {
    text += ", " + total + (lines.size() == 1 ? " line" : " lines");
  } else {
    text += ", lines " + std::to_string(range.first) + "-" + std::to_string(range.last) + " of " +
            total;
  }
  if (range.last >= range.first) {
    const auto begin = lines.begin() + static_cast<std::ptrdiff_t>(range.first) - 1;
    const auto end = lines.begin() + static_cast<std::ptrdiff_t>(range.last);
    text += "\n" + numbered({begin, end}, range.first);
  }
  return {.text = text};
}

}  // namespace dsv4::tools
