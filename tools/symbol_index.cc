#include "tools/symbol_index.h"

#include <algorithm>
#include <atomic>
#include <functional>

#include "tools/error.h"
#include "tools/parallel.h"
#include "tools/pattern_parts.h"
#include "tools/source_text.h"
#include "tools/text.h"
#include "tools/walk.h"

namespace dsv4::tools {
namespace {

constexpr size_t kSourceLimit = 2 << 20;

std::string last_component(std::string_view symbol) {
  const size_t at = symbol.find_last_of(".:");
  return std::string(at == std::string_view::npos ? symbol : symbol.substr(at + 1));
}

// A whole name beats the end of one.
std::vector<Place> preferred(std::vector<Place> places, std::string_view symbol) {
  const auto whole = [&](const Place& place) {
    return place.definition.name == symbol || place.definition.full == symbol;
  };
  if (std::any_of(places.begin(), places.end(), whole)) {
    std::erase_if(places, [&](const Place& place) { return !whole(place); });
  }
  return places;
}

// Those of the files that hold the text, in their order.
std::vector<std::string> files_holding(const WorkTree& tree, const std::vector<std::string>& files,
                                       std::string_view text) {
  constexpr size_t kBatch = 32;  // files that a thread takes at a time
  const LiteralFinder finder(text);
  std::vector<char> holds(files.size(), false);
  std::atomic<size_t> next = 0;
  on_threads(std::min(thread_count(), files.size() / kBatch + 1), [&](size_t) {
    std::vector<char> buffer;
    for (size_t first; (first = next.fetch_add(kBatch)) < files.size();) {
      for (size_t k = first; k < std::min(first + kBatch, files.size()); ++k) {
        const auto bytes = tree.try_read(files[k], kSourceLimit, buffer);
        holds[k] = bytes && finder.find(*bytes, 0) != std::string_view::npos;
      }
    }
  });
  std::vector<std::string> result;
  for (size_t k = 0; k < files.size(); ++k) {
    if (holds[k]) result.push_back(files[k]);
  }
  return result;
}

std::string listed(const std::vector<Place>& places) {
  std::string result;
  for (size_t k = 0; k < std::min<size_t>(places.size(), 10); ++k) {
    result += "\n" + shown(places[k].path) + ": " + places[k].definition.name + " (line " +
              std::to_string(places[k].definition.first_line) + ")";
  }
  return result;
}

}  // namespace

SymbolIndex::SymbolIndex(const WorkTree& tree) : tree_(tree) {}
SymbolIndex::~SymbolIndex() = default;

// The newest few files keep their trees, since they are those that are edited.
Syntax& SymbolIndex::syntax_of(const std::string& path, std::string text) {
  constexpr size_t kKept = 8;
  const auto known = std::find_if(recent_.begin(), recent_.end(),
                                  [&](const auto& one) { return one.first == path; });
  if (known == recent_.end()) {
    if (recent_.size() == kKept) recent_.erase(recent_.begin());
    recent_.emplace_back(path, Syntax(language_of(path), std::move(text)));
  } else {
    std::rotate(known, known + 1, recent_.end());
    if (recent_.back().second.source() != text) recent_.back().second.update(std::move(text));
  }
  return recent_.back().second;
}

const std::vector<Definition>& SymbolIndex::of(const std::string& path, const std::string& bytes) {
  const SourceText source(bytes);
  const size_t hash = std::hash<std::string>()(source.text());
  Parsed& parsed = parsed_[path];
  if (parsed.hash != hash || parsed.definitions.empty()) {
    parsed.hash = hash;
    parsed.definitions = syntax_of(path, source.text()).definitions();
  }
  return parsed.definitions;
}

std::vector<Use> SymbolIndex::uses(std::string_view symbol, const std::optional<std::string>& path,
                                   size_t most) {
  std::vector<Use> result;
  const std::string name = last_component(symbol);
  if (name.empty()) return result;
  std::vector<std::string> files;
  if (path) {
    files.push_back(*path);
  } else {
    files = sources(Files::kAll);
  }
  for (const std::string& file : files_holding(tree_, files, name)) {
    try {
      const SourceText source(tree_.read(file, kSourceLimit).bytes);
      const Syntax syntax(language_of(file), source.text());
      std::vector<size_t> lines = syntax.uses(name);
      for (const Definition& definition : syntax.definitions()) {  // its own name is no use
        if (!names(name, definition)) continue;
        const auto own = std::lower_bound(lines.begin(), lines.end(), definition.first_line);
        if (own != lines.end() && *own <= definition.last_line) lines.erase(own);
      }
      const std::vector<std::string_view> texts = split_lines(source.text());
      for (const size_t line : lines) {
        if (result.size() == most) return result;
        result.push_back({file, line, std::string(trimmed(texts[line - 1]))});
      }
    } catch (const ToolError&) {  // one that cannot be read uses nothing
    }
  }
  return result;
}

// The files that can define what a program's symbols mean.
std::vector<std::string> SymbolIndex::sources(Files files) const {
  std::vector<std::string> paths = project_files(tree_);
  std::erase_if(paths, [&](const std::string& path) {
    const Language language = language_of(path);
    return language == Language::kNone || is_data(language) ||
           (files == Files::kWithoutTests && is_test_file(path));
  });
  return paths;
}

std::vector<Place> SymbolIndex::find_in(const std::string& path, std::string_view symbol) {
  std::vector<Place> places;
  const FileContent content = tree_.read(path);
  for (const Definition& definition : of(path, content.bytes)) {
    if (names(symbol, definition)) places.push_back({path, definition});
  }
  return preferred(std::move(places), symbol);
}

std::vector<Place> SymbolIndex::find(std::string_view symbol, Files files) {
  std::vector<Place> places;
  const std::string name = last_component(symbol);
  if (name.empty()) return places;
  for (const std::string& path : files_holding(tree_, sources(files), name)) {
    try {
      const FileContent content = tree_.read(path, kSourceLimit);
      for (const Definition& definition : of(path, content.bytes)) {
        if (names(symbol, definition)) places.push_back({path, definition});
      }
    } catch (const ToolError&) {  // one that cannot be read defines nothing
    }
  }
  return preferred(std::move(places), symbol);
}

Place SymbolIndex::resolve(const std::optional<std::string>& path, const std::string& symbol) {
  std::vector<Place> places;
  if (path) {
    places = find_in(*path, symbol);
  } else {
    places = find(symbol, Files::kWithoutTests);
    if (places.empty()) places = find(symbol, Files::kAll);
  }
  const std::string name = shown(symbol);
  if (places.empty()) {
    throw ToolError("no function, method or class " + name + (path ? " in " + shown(*path) : "") +
                    "; symbols lists the names of a file, search finds text.");
  }
  if (places.size() > 1) {
    throw ToolError(
        name + " is ambiguous; give path, or Class.method, or work by lines:" + listed(places));
  }
  return places.front();
}

std::optional<Definition> SymbolIndex::around(const std::string& path, size_t line) {
  std::optional<Definition> best;
  if (language_of(path) == Language::kNone) return best;
  try {
    for (const Definition& definition : of(path, tree_.read(path, kSourceLimit).bytes)) {
      if (definition.first_line <= line && line <= definition.last_line) best = definition;
    }
  } catch (const ToolError&) {  // not a file of the repository
  }
  return best;
}

}  // namespace dsv4::tools
