#include "tools/symbol_index.h"

#include <algorithm>
#include <functional>

#include "tools/error.h"
#include "tools/ignore.h"
#include "tools/source_text.h"
#include "tools/text.h"

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

std::string listed(const std::vector<Place>& places) {
  std::string result;
  for (size_t k = 0; k < std::min<size_t>(places.size(), 10); ++k) {
    result += "\n" + shown(places[k].path) + ": " + places[k].definition.name + " (line " +
              std::to_string(places[k].definition.first_line) + ")";
  }
  return result;
}

}  // namespace

const std::vector<Definition>& SymbolIndex::of(const std::string& path, const std::string& bytes) {
  const SourceText source(bytes);
  const size_t hash = std::hash<std::string>()(source.text());
  Parsed& parsed = parsed_[path];
  if (parsed.hash != hash || parsed.definitions.empty()) {
    parsed.hash = hash;
    parsed.definitions = definitions(language_of(path), source.text());
  }
  return parsed.definitions;
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
  for (const std::string& path : project_files(tree_)) {
    if (language_of(path) == Language::kNone) continue;
    if (files == Files::kWithoutTests && is_test_file(path)) continue;
    try {
      const FileContent content = tree_.read(path, kSourceLimit);
      if (content.bytes.find(name) == std::string::npos) continue;
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
