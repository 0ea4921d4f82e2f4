#pragma once

#include <string>
#include <string_view>

#include "tools/syntax_tree.h"

namespace dsv4::tools {

// What a node of a syntax tree names.
struct Named {
  std::string name{};         // empty: nothing
  std::string kind{};         // as Definition::kind
  bool is_namespace = false;  // part of full names only
  bool is_class = false;      // functions in it are methods
  bool only_scope = false;    // part of the names in it, and no definition itself
};

// By the rules of the language, for the walk's node.
Named named(Language language, const Walk& walk, std::string_view source);

// Whether the node belongs to the definition that it holds: a decorator's, `export`, ...
bool wraps_definition(std::string_view node_type);

std::string without_space(std::string_view text);

}  // namespace dsv4::tools
