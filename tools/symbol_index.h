#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/syntax.h"
#include "tools/worktree.h"

namespace dsv4::tools {

// A definition and the file it is in.
struct Place {
  std::string path;
  Definition definition;
};

// A line where a name is used.
struct Use {
  std::string path;
  size_t line = 0;  // from 1
  std::string text;
};

// The definitions of the working copy's files. Parses a file once for each content it has had.
class SymbolIndex {
 public:
  explicit SymbolIndex(const WorkTree& tree);
  ~SymbolIndex();

  const std::vector<Definition>& of(const std::string& path, const std::string& bytes);

  // Every definition the symbol can name in the files the filter lets through. Whole names come
  // alone when there are any: "clamp" is the function clamp, not Box.clamp as well.
  enum class Files { kAll, kWithoutTests };
  std::vector<Place> find(std::string_view symbol, Files files);
  std::vector<Place> find_in(const std::string& path, std::string_view symbol);

  // The one definition meant by a call of `tool`; without a path, files that are no tests come
  // first. Throws a ToolError listing the candidates when there are several, or none.
  Place resolve(const std::optional<std::string>& path, const std::string& symbol);

  // Where the last part of the symbol's name is used, in one file or in all of them, without its
  // own definitions; at most so many.
  std::vector<Use> uses(std::string_view symbol, const std::optional<std::string>& path,
                        size_t most);

  // The innermost definition around a line (from 1) of the file.
  std::optional<Definition> around(const std::string& path, size_t line);

 private:
  struct Parsed {
    size_t hash = 0;
    std::vector<Definition> definitions;
  };

  Syntax& syntax_of(const std::string& path, std::string text);
  std::vector<std::string> sources(Files files) const;

  const WorkTree& tree_;
  std::vector<std::pair<std::string, Syntax>> recent_;  // the newest last
  std::map<std::string, Parsed> parsed_;
};

}  // namespace dsv4::tools
