#include "tools/syntax_tree.h"

#include <algorithm>

extern "C" {
const TSLanguage* tree_sitter_python(void);
const TSLanguage* tree_sitter_cpp(void);
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

}  // namespace

Tree parse(Language language, std::string_view source) {
  if (language == Language::kNone || source.size() > kParseLimit ||
      most_tokens(source) > kTokenLimit) {
    return {nullptr, ts_tree_delete};
  }
  const std::unique_ptr<TSParser, decltype(&ts_parser_delete)> parser(ts_parser_new(),
                                                                      ts_parser_delete);
  ts_parser_set_language(parser.get(),
                         language == Language::kPython ? tree_sitter_python() : tree_sitter_cpp());
  ts_parser_set_timeout_micros(parser.get(), kParseMicroseconds);
  return {ts_parser_parse_string(parser.get(), nullptr, source.data(),
                                 static_cast<uint32_t>(source.size())),
          ts_tree_delete};
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
