#include "tools/definition_rules.h"

#include <algorithm>
#include <array>

namespace dsv4::tools {

std::string without_space(std::string_view s) {
  std::string result;
  for (const char c : s) {
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') result += c;
  }
  return result;
}

namespace {

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

Named python_name(const Walk& walk, std::string_view source) {
  const std::string_view kind = type(walk.node());
  const std::string name(text(field(walk.node(), "name"), source));
  if (kind == "class_definition") return {name, "class", false, true, false};
  if (kind == "function_definition") return {name, "function", false, false, false};
  return {};
}

Named cpp_name(const Walk& walk, std::string_view source) {
  const std::string_view kind = type(walk.node());
  const bool has_body = !ts_node_is_null(field(walk.node(), "body"));
  if (kind == "function_definition") {
    return {declared_name(field(walk.node(), "declarator"), source), "function", false, false,
            false};
  }
  if (kind == "namespace_definition") {
    return {without_space(text(field(walk.node(), "name"), source)), "", true, false, false};
  }
  if (!has_body) return {};
  if (kind == "class_specifier") return {cpp_type_name(walk, source), "class", false, true, false};
  if (kind == "struct_specifier")
    return {cpp_type_name(walk, source), "struct", false, true, false};
  if (kind == "union_specifier") return {cpp_type_name(walk, source), "union", false, true, false};
  if (kind == "enum_specifier") return {cpp_type_name(walk, source), "enum", false, false, false};
  return {};
}

// The rules of the languages whose definitions carry their name in a field of that name.
struct Rule {
  std::string_view node;
  std::string_view kind;
  bool is_class = false;
  bool is_namespace = false;
};

constexpr auto kScriptRules = std::to_array<Rule>({
    // JavaScript, TypeScript
    {"function_declaration", "function"},
    {"generator_function_declaration", "function"},
    {"class_declaration", "class", true},
    {"abstract_class_declaration", "class", true},
    {"method_definition", "function"},
    {"interface_declaration", "interface", true},
    {"enum_declaration", "enum"},
    {"type_alias_declaration", "type"},
    {"internal_module", "", false, true},
});
constexpr auto kRustRules = std::to_array<Rule>({
    {"function_item", "function"},
    {"function_signature_item", "function"},
    {"struct_item", "struct"},
    {"union_item", "union"},
    {"enum_item", "enum"},
    {"trait_item", "trait", true},
    {"type_item", "type"},
    {"macro_definition", "macro"},
    {"mod_item", "", false, true},
});
constexpr auto kJavaRules = std::to_array<Rule>({
    {"class_declaration", "class", true},
    {"interface_declaration", "interface", true},
    {"enum_declaration", "enum", true},
    {"record_declaration", "record", true},
    {"annotation_type_declaration", "interface", true},
    {"method_declaration", "function"},
    {"constructor_declaration", "function"},
});
constexpr auto kBashRules = std::to_array<Rule>({{"function_definition", "function"}});

template <size_t Count>
Named by_rule(const std::array<Rule, Count>& rules, const Walk& walk, std::string_view source) {
  const std::string_view kind = type(walk.node());
  const auto rule =
      std::find_if(rules.begin(), rules.end(), [&](const Rule& one) { return one.node == kind; });
  if (rule == rules.end()) return {};
  std::string name(text(field(walk.node(), "name"), source));
  if (name.empty()) return {};
  return {.name = std::move(name),
          .kind = std::string(rule->kind),
          .is_namespace = rule->is_namespace,
          .is_class = rule->is_class};
}

Named script_name(const Walk& walk, std::string_view source) {
  // const f = (x) => ...
  const TSNode node = walk.node();
  if (one_of(type(node), {"variable_declarator", "public_field_definition", "field_definition"}) &&
      one_of(type(field(node, "value")), {"arrow_function", "function_expression", "function",
                                          "generator_function", "class"})) {
    TSNode name = field(node, "name");
    if (ts_node_is_null(name)) name = field(node, "property");
    const bool is_class = type(field(node, "value")) == "class";
    if (ts_node_child_count(name) > 0) return {};
    return {.name = std::string(text(name, source)),
            .kind = is_class ? "class" : "function",
            .is_class = is_class};
  }
  return by_rule(kScriptRules, walk, source);
}

// "Stack" of "(s *Stack[T])".
std::string receiver_type(std::string_view receiver) {
  receiver = receiver.substr(0, receiver.find('['));
  const size_t end = receiver.find_last_not_of(" \t)");
  if (end == std::string_view::npos) return "";
  receiver = receiver.substr(0, end + 1);
  return std::string(receiver.substr(receiver.find_last_of(" \t*(") + 1));
}

Named go_name(const Walk& walk, std::string_view source) {
  const TSNode node = walk.node();
  const std::string name(text(field(node, "name"), source));
  if (type(node) == "function_declaration") return {.name = name, .kind = "function"};
  if (type(node) == "method_declaration") {
    const std::string of = receiver_type(text(field(node, "receiver"), source));
    return {.name = of.empty() ? name : of + "." + name, .kind = "method"};
  }
  if (!one_of(type(node), {"type_spec", "type_alias"})) return {};
  const std::string_view what = type(field(node, "type"));
  return {.name = name,
          .kind = what == "struct_type"      ? "struct"
                  : what == "interface_type" ? "interface"
                                             : "type"};
}

Named rust_name(const Walk& walk, std::string_view source) {
  if (type(walk.node()) != "impl_item") return by_rule(kRustRules, walk, source);
  TSNode of = field(walk.node(), "type");
  if (type(of) == "generic_type") of = field(of, "type");
  return {.name = without_space(text(of, source)), .is_class = true, .only_scope = true};
}

// A key and what is in it, down to three levels.
Named data_name(const Walk& walk, std::string_view source) {
  constexpr size_t kDeepest = 3;
  const auto is_pair = [](TSNode node) {
    return one_of(type(node), {"pair", "block_mapping_pair", "flow_pair"});
  };
  if (!is_pair(walk.node())) return {};
  size_t around = 0;
  for (size_t up = 1; up < walk.depth(); ++up) around += is_pair(walk.above(up));
  if (around >= kDeepest) return {};
  std::string_view key = text(field(walk.node(), "key"), source);
  const bool quoted = key.size() > 1 && (key[0] == '"' || key[0] == '\'') && key.back() == key[0];
  if (quoted) key = key.substr(1, key.size() - 2);
  if (key.find('\n') != std::string_view::npos) return {};
  return {.name = std::string(key), .kind = "key"};
}

// The first word of a command's arguments.
std::string first_argument(TSNode command, std::string_view source) {
  for (uint32_t k = 0; k < ts_node_named_child_count(command); ++k) {
    const TSNode list = ts_node_named_child(command, k);
    if (type(list) != "argument_list") continue;
    return std::string(text(ts_node_named_child(list, 0), source));
  }
  return "";
}

Named cmake_name(const Walk& walk, std::string_view source) {
  const TSNode node = walk.node();
  if (one_of(type(node), {"function_def", "macro_def"})) {
    const bool is_function = type(node) == "function_def";
    return {.name = first_argument(ts_node_named_child(node, 0), source),
            .kind = is_function ? "function" : "macro"};
  }
  if (type(node) != "normal_command" || ts_node_named_child_count(node) == 0) return {};
  std::string command(text(ts_node_named_child(node, 0), source));
  for (char& c : command) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c;
  if (!one_of(command, {"add_executable", "add_library", "add_custom_target"})) return {};
  std::string name = first_argument(node, source);
  if (name.find('$') != std::string::npos) return {};  // only known when it runs
  return {.name = std::move(name), .kind = "target"};
}

}  // namespace

Named named(Language language, const Walk& walk, std::string_view source) {
  switch (language) {
    case Language::kPython:
      return python_name(walk, source);
    case Language::kCpp:
      return cpp_name(walk, source);
    case Language::kJavaScript:
    case Language::kTypeScript:
    case Language::kTsx:
      return script_name(walk, source);
    case Language::kGo:
      return go_name(walk, source);
    case Language::kRust:
      return rust_name(walk, source);
    case Language::kJava:
      return by_rule(kJavaRules, walk, source);
    case Language::kBash:
      return by_rule(kBashRules, walk, source);
    case Language::kJson:
    case Language::kYaml:
      return data_name(walk, source);
    case Language::kCMake:
      return cmake_name(walk, source);
    case Language::kNone:
      break;
  }
  return {};
}

bool wraps_definition(std::string_view node_type) {
  return one_of(node_type, {"decorated_definition", "template_declaration", "type_definition",
                            "export_statement", "lexical_declaration", "variable_declaration",
                            "type_declaration"});
}

}  // namespace dsv4::tools
