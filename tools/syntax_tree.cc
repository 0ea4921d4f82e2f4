#include "tools/syntax_tree.h"

#include <algorithm>

extern "C" {
const TSLanguage* tree_sitter_bash(void);
const TSLanguage* tree_sitter_cmake(void);
const TSLanguage* tree_sitter_cpp(void);
const TSLanguage* tree_sitter_go(void);
const TSLanguage* tree_sitter_java(void);
const TSLanguage* tree_sitter_javascript(void);
const TSLanguage* tree_sitter_json(void);
const TSLanguage* tree_sitter_python(void);
const TSLanguage* tree_sitter_rust(void);
const TSLanguage* tree_sitter_tsx(void);
const TSLanguage* tree_sitter_typescript(void);
const TSLanguage* tree_sitter_yaml(void);
}

namespace dsv4::tools {
namespace {

constexpr size_t kParseLimit = 2 << 20;

// tree-sitter 0.20 counts a node's children in 16 bits in places: broken text with more tokens than
// that in one error node corrupts its memory. No valid text comes near in one node, but which text
// is broken is only known afterwards.
constexpr size_t kTokenLimit = 50'000;
constexpr uint64_t kParseMicroseconds = 1'000'000;

bool is_ascii_name(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

// No fewer than the grammar's tokens: names and numbers, every other character that is no blank,
// and for a line's end what Python makes of it (newline, indent or dedent).
size_t most_tokens(std::string_view source) {
  size_t count = 0;
  char before = ' ';
  for (const char c : source) {
    if (c == '\n') {
      count += 3;
    } else if (is_ascii_name(c)) {
      count += !is_ascii_name(before);
    } else if (c != ' ' && c != '\t' && c != '\r' && (c & 0xC0) != 0x80) {
      ++count;
    }
    before = c;
  }
  return count;
}

const TSLanguage* grammar_of(Language language) {
  switch (language) {
    case Language::kBash:
      return tree_sitter_bash();
    case Language::kCMake:
      return tree_sitter_cmake();
    case Language::kCpp:
      return tree_sitter_cpp();
    case Language::kGo:
      return tree_sitter_go();
    case Language::kJava:
      return tree_sitter_java();
    case Language::kJavaScript:
      return tree_sitter_javascript();
    case Language::kJson:
      return tree_sitter_json();
    case Language::kPython:
      return tree_sitter_python();
    case Language::kRust:
      return tree_sitter_rust();
    case Language::kTsx:
      return tree_sitter_tsx();
    case Language::kTypeScript:
      return tree_sitter_typescript();
    case Language::kYaml:
      return tree_sitter_yaml();
    case Language::kNone:
      break;
  }
  return nullptr;
}

Tree parse_after(Language language, std::string_view source, const TSTree* old_tree) {
  const TSLanguage* grammar = grammar_of(language);
  if (!grammar || source.size() > kParseLimit || most_tokens(source) > kTokenLimit) {
    return {nullptr, ts_tree_delete};
  }
  const std::unique_ptr<TSParser, decltype(&ts_parser_delete)> parser(ts_parser_new(),
                                                                      ts_parser_delete);
  if (!ts_parser_set_language(parser.get(), grammar)) return {nullptr, ts_tree_delete};
  ts_parser_set_timeout_micros(parser.get(), kParseMicroseconds);
  return {ts_parser_parse_string(parser.get(), old_tree, source.data(),
                                 static_cast<uint32_t>(source.size())),
          ts_tree_delete};
}

// What differs between two texts, up to one stretch of each.
struct Change {
  size_t begin = 0;
  size_t old_end = 0;
  size_t new_end = 0;
};

Change between(std::string_view old_text, std::string_view text) {
  const size_t most = std::min(old_text.size(), text.size());
  const auto front = std::mismatch(
      old_text.begin(), old_text.begin() + static_cast<std::ptrdiff_t>(most), text.begin());
  Change change;
  change.begin = static_cast<size_t>(front.first - old_text.begin());
  size_t tail = 0;
  while (tail < most - change.begin &&
         old_text[old_text.size() - 1 - tail] == text[text.size() - 1 - tail]) {
    ++tail;
  }
  change.old_end = old_text.size() - tail;
  change.new_end = text.size() - tail;
  return change;
}

TSPoint point(std::string_view text, size_t at) {
  const std::string_view before = text.substr(0, at);
  const auto row = std::count(before.begin(), before.end(), '\n');
  return {static_cast<uint32_t>(row),
          static_cast<uint32_t>(before.size() - (before.rfind('\n') + 1))};
}

}  // namespace

Tree parse(Language language, std::string_view source) {
  return parse_after(language, source, nullptr);
}

Tree parse_again(Language language, const TSTree* old_tree, std::string_view old_source,
                 std::string_view source) {
  if (!old_tree) return parse(language, source);
  const Change change = between(old_source, source);
  const Tree edited(ts_tree_copy(old_tree), ts_tree_delete);
  const TSInputEdit edit{
      static_cast<uint32_t>(change.begin),   static_cast<uint32_t>(change.old_end),
      static_cast<uint32_t>(change.new_end), point(source, change.begin),
      point(old_source, change.old_end),     point(source, change.new_end)};
  ts_tree_edit(edited.get(), &edit);
  return parse_after(language, source, edited.get());
}

std::string_view type(TSNode node) { return ts_node_is_null(node) ? "" : ts_node_type(node); }

TSNode field(TSNode node, std::string_view name) {
  return ts_node_child_by_field_name(node, name.data(), static_cast<uint32_t>(name.size()));
}

std::string_view text(TSNode node, std::string_view source) {
  if (ts_node_is_null(node)) return {};
  const size_t begin = std::min<size_t>(ts_node_start_byte(node), source.size());
  const size_t end = std::min<size_t>(ts_node_end_byte(node), source.size());
  return source.substr(begin, end - begin);
}

bool one_of(std::string_view what, std::initializer_list<std::string_view> names_) {
  return std::find(names_.begin(), names_.end(), what) != names_.end();
}

}  // namespace dsv4::tools
