#include "tools/highlight.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>

#include "tools/syntax_tree.h"

namespace dsv4::tools {
namespace {

bool holds(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// `return`, `#include`; no operator and no bracket.
bool is_word(std::string_view text) {
  if (text.starts_with("#")) text.remove_prefix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalpha(static_cast<unsigned char>(c)) || c == '_';
  });
}

bool is_field_of(TSNode node, TSNode parent, std::string_view name) {
  return !ts_node_is_null(parent) && ts_node_eq(field(parent, name), node);
}

// Whether the name is what a definition defines or a call calls.
bool names_a_function(const Walk& walk) {
  TSNode node = walk.node();
  size_t up = 1;
  // x.f(...) and x->f(...): the call has the whole of it as its function.
  if (one_of(type(walk.above(up)), {"attribute", "field_expression", "qualified_identifier",
                                    "member_expression", "selector_expression"})) {
    const TSNode chain = walk.above(up);
    const uint32_t last = ts_node_child_count(chain);
    if (last == 0 || !ts_node_eq(ts_node_child(chain, last - 1), node)) return false;
    node = chain;
    ++up;
  }
  const TSNode parent = walk.above(up);
  const std::string_view what = type(parent);
  if (is_field_of(node, parent, "function")) return holds(what, "call");
  if (is_field_of(node, parent, "name")) return holds(what, "function") || holds(what, "method");
  return is_field_of(node, parent, "declarator") && holds(what, "function");
}

std::optional<Token> token_of(const Walk& walk) {
  const TSNode node = walk.node();
  const std::string_view what = type(node);
  if (!ts_node_is_named(node)) {
    return is_word(what) ? std::optional(Token::kKeyword) : std::nullopt;
  }
  if (holds(what, "comment")) return Token::kComment;
  if (what == "string" || holds(what, "string_literal") || what == "char_literal" ||
      what == "system_lib_string") {
    return Token::kString;
  }
  if (one_of(what, {"integer", "float", "number", "number_literal", "integer_literal",
                    "float_literal"})) {
    return Token::kNumber;
  }
  if (one_of(what, {"true", "false", "none", "null", "nullptr", "this"})) return Token::kConstant;
  if (one_of(what, {"type_identifier", "primitive_type", "sized_type_specifier", "auto"})) {
    return Token::kType;
  }
  if (holds(what, "identifier") && names_a_function(walk)) return Token::kFunction;
  return std::nullopt;
}

}  // namespace

std::vector<Coloured> highlight(Language language, std::string_view source) {
  std::vector<Coloured> out;
  const Tree tree = parse(language, source);
  if (!tree) return out;
  Walk walk(tree.get());
  bool into = true;
  do {
    const std::optional<Token> token = token_of(walk);
    into = !token;
    if (!token) continue;
    const size_t begin = ts_node_start_byte(walk.node());
    const size_t end = std::min<size_t>(ts_node_end_byte(walk.node()), source.size());
    if (begin < end) out.push_back({begin, end, *token});
  } while (walk.next(into));
  return out;
}

Language language_named(std::string_view word) {
  std::string name;
  for (const char c : word) name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (name == "python" || name == "python3") return Language::kPython;
  if (name == "c++") return Language::kCpp;
  return language_of("x." + name);
}

}  // namespace dsv4::tools
