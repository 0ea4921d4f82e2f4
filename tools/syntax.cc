#include "tools/syntax.h"

#include <algorithm>

#include "tools/definition_rules.h"
#include "tools/syntax_tree.h"

namespace dsv4::tools {
namespace {

bool is_ascii_name(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

// What encloses the node being looked at and has a name.
struct Scope {
  size_t depth = 0;
  std::string name;
  bool is_namespace = false;
  bool is_class = false;
};

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
  const bool colons = language == Language::kCpp || language == Language::kRust;
  const std::string joint = colons ? "::" : ".";
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
  for (size_t up = 1; wraps_definition(type(walk.above(up))); ++up) {
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
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (name == "CMakeLists.txt") return Language::kCMake;
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return Language::kNone;
  const std::string_view extension = name.substr(dot + 1);
  const auto is = [&](std::initializer_list<std::string_view> extensions) {
    return one_of(extension, extensions);
  };
  if (is({"py", "pyi"})) return Language::kPython;
  if (is({"c", "cc", "cpp", "cxx", "c++", "C", "h", "hh", "hpp", "hxx", "h++", "ipp", "inl", "cu",
          "cuh"})) {
    return Language::kCpp;
  }
  if (is({"js", "mjs", "cjs", "jsx"})) return Language::kJavaScript;
  if (is({"ts", "mts", "cts"})) return Language::kTypeScript;
  if (is({"tsx"})) return Language::kTsx;
  if (is({"go"})) return Language::kGo;
  if (is({"rs"})) return Language::kRust;
  if (is({"java"})) return Language::kJava;
  if (is({"sh", "bash"})) return Language::kBash;
  if (is({"json"})) return Language::kJson;
  if (is({"yaml", "yml"})) return Language::kYaml;
  if (is({"cmake"})) return Language::kCMake;
  return Language::kNone;
}

bool is_data(Language language) {
  return language == Language::kJson || language == Language::kYaml;
}

struct Syntax::State {
  Language language;
  std::string source;
  Tree tree;
};

Syntax::Syntax(Language language, std::string source)
    : state_(new State{language, std::move(source), {nullptr, ts_tree_delete}}) {
  state_->tree = parse(language, state_->source);
}
Syntax::~Syntax() = default;
Syntax::Syntax(Syntax&&) noexcept = default;
Syntax& Syntax::operator=(Syntax&&) noexcept = default;

const std::string& Syntax::source() const { return state_->source; }

void Syntax::update(std::string source) {
  Tree tree = parse_again(state_->language, state_->tree.get(), state_->source, source);
  state_->source = std::move(source);
  // Broken text is repaired in another way when only a part of it is read again.
  const bool good = tree && !ts_node_has_error(ts_tree_root_node(tree.get()));
  state_->tree = good ? std::move(tree) : parse(state_->language, state_->source);
}

std::vector<Definition> Syntax::definitions() const {
  std::vector<Definition> result;
  if (!state_->tree) return result;
  const std::string_view source = state_->source;
  std::vector<Scope> scopes;
  Walk walk(state_->tree.get());
  do {
    while (!scopes.empty() && scopes.back().depth >= walk.depth()) scopes.pop_back();
    const Named found = named(state_->language, walk, source);
    if (found.name.empty() && !found.is_namespace) continue;
    if (!found.is_namespace && !found.only_scope) {
      result.push_back(define(walk, found, scopes, state_->language, source));
    }
    scopes.push_back({walk.depth(), found.name, found.is_namespace, found.is_class});
  } while (walk.next());
  return result;
}

SyntaxErrors Syntax::errors() const {
  SyntaxErrors errors;
  if (!state_->tree) return errors;
  Walk walk(state_->tree.get());
  bool into = true;
  do {
    const TSNode node = walk.node();
    into = ts_node_has_error(node);
    if (type(node) != "ERROR" && !ts_node_is_missing(node)) continue;
    if (errors.count++ == 0) errors.first_line = ts_node_start_point(node).row + 1;
  } while (walk.next(into));
  return errors;
}

std::vector<size_t> Syntax::uses(std::string_view name) const {
  std::vector<size_t> lines;
  if (!state_->tree || name.empty()) return lines;
  Walk walk(state_->tree.get());
  bool into = true;
  do {
    const TSNode node = walk.node();
    const std::string_view kind = type(node);
    into = kind.find("comment") == std::string_view::npos;
    const size_t size = ts_node_end_byte(node) - ts_node_start_byte(node);
    const bool is_name = into && size == name.size() && ts_node_child_count(node) == 0 &&
                         kind.find("string") == std::string_view::npos &&
                         text(node, state_->source) == name;
    if (!is_name) continue;
    const size_t line = ts_node_start_point(node).row + 1;
    if (lines.empty() || lines.back() != line) lines.push_back(line);
  } while (walk.next(into));
  return lines;
}

std::vector<Definition> definitions(Language language, std::string_view source) {
  return Syntax(language, std::string(source)).definitions();
}

bool names(std::string_view symbol, const Definition& definition) {
  const std::string wanted = dotted(std::string(symbol));
  const std::string_view full = definition.full;
  if (wanted.empty() || !full.ends_with(wanted)) return false;
  return full.size() == wanted.size() || full[full.size() - wanted.size() - 1] == '.';
}

SyntaxErrors syntax_errors(Language language, std::string_view source) {
  return Syntax(language, std::string(source)).errors();
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
    if (one_of(path.substr(begin, slash - begin), {"tests", "test", "testing", "__tests__"}))
      return true;
    begin = slash + 1;
  }
  const std::string_view name = path.substr(begin);
  const std::string_view stem = name.substr(0, name.rfind('.'));
  return one_of(stem, {"test", "tests", "conftest"}) || stem.starts_with("test_") ||
         stem.ends_with("_test") || stem.ends_with("_tests") || stem.ends_with(".test") ||
         stem.ends_with(".spec");
}

}  // namespace dsv4::tools
