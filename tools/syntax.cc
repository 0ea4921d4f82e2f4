#include "tools/syntax.h"

#include <algorithm>
#include <array>

#include "tools/syntax_tree.h"

namespace dsv4::tools {
namespace {

bool is_ascii_name(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

std::string without_space(std::string_view s) {
  std::string result;
  for (const char c : s) {
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') result += c;
  }
  return result;
}

// "Foo::bar" of a declarator such as `*Foo<T>::bar(int) const`; empty when it has no name.
std::string declared_name(TSNode node, std::string_view source) {
  std::string name;
  for (int depth = 0; depth < 64 && !ts_node_is_null(node); ++depth) {
    const std::string_view kind = type(node);
    if (kind == "qualified_identifier") {
      TSNode scope = field(node, "scope");
      if (type(scope) == "template_type") scope = field(scope, "name");
      if (!ts_node_is_null(scope)) name += without_space(text(scope, source)) + "::";
      node = field(node, "name");
    } else if (one_of(kind, {"template_function", "template_method", "template_type"})) {
      node = field(node, "name");
    } else if (one_of(kind, {"identifier", "field_identifier", "type_identifier",
                             "namespace_identifier", "destructor_name"})) {
      return name + without_space(text(node, source));
    } else if (kind == "operator_name") {
      return name + std::string(text(node, source));
    } else if (kind == "operator_cast") {
      return name + "operator " + std::string(text(field(node, "type"), source));
    } else {
      const TSNode inner = field(node, "declarator");
      // reference_declarator and parenthesized_declarator do not name their child.
      node = ts_node_is_null(inner) && ts_node_named_child_count(node) > 0
                 ? ts_node_named_child(node, ts_node_named_child_count(node) - 1)
                 : inner;
    }
  }
  return "";
}

std::string cpp_type_name(const Walk& walk, std::string_view source) {
  const std::string name = declared_name(field(walk.node(), "name"), source);
  if (!name.empty() || type(walk.above(1)) != "type_definition") return name;
  return declared_name(field(walk.above(1), "declarator"), source);
}

// What encloses the node being looked at and has a name.
struct Scope {
  size_t depth = 0;
  std::string name;
  bool is_namespace = false;
  bool is_class = false;
};

struct Named {
  std::string name;
  std::string kind;
  bool is_namespace = false;
  bool is_class = false;
};

Named python_name(const Walk& walk, std::string_view source) {
  const std::string_view kind = type(walk.node());
  const std::string name(text(field(walk.node(), "name"), source));
  if (kind == "class_definition") return {name, "class", false, true};
  if (kind == "function_definition") return {name, "function", false, false};
  return {};
}

Named cpp_name(const Walk& walk, std::string_view source) {
  const std::string_view kind = type(walk.node());
  const bool has_body = !ts_node_is_null(field(walk.node(), "body"));
  if (kind == "function_definition") {
    return {declared_name(field(walk.node(), "declarator"), source), "function", false, false};
  }
  if (kind == "namespace_definition") {
    return {without_space(text(field(walk.node(), "name"), source)), "", true, false};
  }
  if (!has_body) return {};
  if (kind == "class_specifier") return {cpp_type_name(walk, source), "class", false, true};
  if (kind == "struct_specifier") return {cpp_type_name(walk, source), "struct", false, true};
  if (kind == "union_specifier") return {cpp_type_name(walk, source), "union", false, true};
  if (kind == "enum_specifier") return {cpp_type_name(walk, source), "enum", false, false};
  return {};
}

std::string dotted(std::string name) {
  for (size_t at = name.find("::"); at != std::string::npos; at = name.find("::", at)) {
    name.replace(at, 2, ".");
  }
  return name;
}

// The definition at the walk's node: its names from the scopes around it, its range from the
// wrappers.
Definition define(const Walk& walk, const Named& named, const std::vector<Scope>& scopes,
                  Language language, std::string_view source) {
  Definition result;
  result.kind = named.kind;
  const std::string joint = language == Language::kPython ? "." : "::";
  for (const Scope& scope : scopes) {
    if (scope.name.empty()) continue;
    result.full += dotted(scope.name) + ".";
    if (!scope.is_namespace) result.name += scope.name + joint;
  }
  result.name += named.name;
  result.full += dotted(named.name);
  const bool in_class = !scopes.empty() && scopes.back().is_class;
  const bool qualified = language == Language::kCpp && named.name.find("::") != std::string::npos;
  if (result.kind == "function" && (in_class || qualified)) result.kind = "method";

  TSNode outer = walk.node();
  for (size_t up = 1; one_of(type(walk.above(up)),
                             {"decorated_definition", "template_declaration", "type_definition"});
       ++up) {
    outer = walk.above(up);
  }
  result.begin = std::min<size_t>(ts_node_start_byte(outer), source.size());
  result.end = std::min<size_t>(ts_node_end_byte(outer), source.size());
  if (language == Language::kCpp) {
    const size_t next = source.find_first_not_of(" \t", result.end);
    if (next != std::string_view::npos && source[next] == ';') result.end = next + 1;
  }
  const auto begin = source.begin();
  result.first_line = ts_node_start_point(outer).row + 1;
  result.last_line = result.first_line +
                     static_cast<size_t>(std::count(begin + static_cast<long>(result.begin),
                                                    begin + static_cast<long>(result.end), '\n'));
  return result;
}

}  // namespace

Language language_of(std::string_view path) {
  const size_t dot = path.rfind('.');
  if (dot == std::string_view::npos) return Language::kNone;
  const std::string_view extension = path.substr(dot + 1);
  if (one_of(extension, {"py", "pyi"})) return Language::kPython;
  if (one_of(extension, {"c", "cc", "cpp", "cxx", "c++", "C", "h", "hh", "hpp", "hxx", "h++", "ipp",
                         "inl", "cu", "cuh"})) {
    return Language::kCpp;
  }
  return Language::kNone;
}

std::vector<Definition> definitions(Language language, std::string_view source) {
  const Tree tree = parse(language, source);
  std::vector<Definition> result;
  if (!tree) return result;
  std::vector<Scope> scopes;
  Walk walk(tree.get());
  do {
    while (!scopes.empty() && scopes.back().depth >= walk.depth()) scopes.pop_back();
    const Named named =
        language == Language::kPython ? python_name(walk, source) : cpp_name(walk, source);
    if (named.name.empty() && !named.is_namespace) continue;
    if (!named.is_namespace) result.push_back(define(walk, named, scopes, language, source));
    scopes.push_back({walk.depth(), named.name, named.is_namespace, named.is_class});
  } while (walk.next());
  return result;
}

bool names(std::string_view symbol, const Definition& definition) {
  const std::string wanted = dotted(std::string(symbol));
  const std::string_view full = definition.full;
  if (wanted.empty() || !full.ends_with(wanted)) return false;
  return full.size() == wanted.size() || full[full.size() - wanted.size() - 1] == '.';
}

SyntaxErrors syntax_errors(Language language, std::string_view source) {
  const Tree tree = parse(language, source);
  SyntaxErrors errors;
  if (!tree) return errors;
  Walk walk(tree.get());
  bool into = true;
  do {
    const TSNode node = walk.node();
    into = ts_node_has_error(node);
    if (type(node) != "ERROR" && !ts_node_is_missing(node)) continue;
    if (errors.count++ == 0) errors.first_line = ts_node_start_point(node).row + 1;
  } while (walk.next(into));
  return errors;
}

std::vector<std::string> called_names(std::string_view source) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::vector<std::string> result;
  size_t at = 0;
  while (at < source.size()) {
    if (!is_ascii_name(source[at])) {
      ++at;
      continue;
    }
    const size_t begin = at;
    while (at < source.size() && is_ascii_name(source[at])) ++at;
    size_t next = at;
    while (next < source.size() && source[next] == ' ') ++next;
    if (is_digit(source[begin]) || next == source.size() || source[next] != '(') continue;
    std::string name(source.substr(begin, at - begin));
    if (std::find(result.begin(), result.end(), name) == result.end()) {
      result.push_back(std::move(name));
    }
  }
  return result;
}

bool is_test_file(std::string_view path) {
  size_t begin = 0;
  for (size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', begin)) {
    if (one_of(path.substr(begin, slash - begin), {"tests", "test", "testing"})) return true;
    begin = slash + 1;
  }
  const std::string_view name = path.substr(begin);
  const std::string_view stem = name.substr(0, name.rfind('.'));
  return one_of(stem, {"test", "tests", "conftest"}) || stem.starts_with("test_") ||
         stem.ends_with("_test") || stem.ends_with("_tests");
}

}  // namespace dsv4::tools
