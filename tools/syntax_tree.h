#pragma once

#include <tree_sitter/api.h>

#include <initializer_list>
#include <memory>
#include <string_view>
#include <vector>

#include "tools/syntax.h"

// What this room's readers of source share of tree-sitter.
namespace dsv4::tools {

using Tree = std::unique_ptr<TSTree, decltype(&ts_tree_delete)>;

// Null for kNone, for text over 2 MiB and for text that takes longer than a second.
Tree parse(Language language, std::string_view source);

// The same for a text that became another one, given the tree of the old text (or none): what the
// two have in common at both ends is not read again.
Tree parse_again(Language language, const TSTree* old_tree, std::string_view old_source,
                 std::string_view source);

// Pre-order over the tree without recursion: hostile nesting must not use up the stack.
class Walk {
 public:
  explicit Walk(const TSTree* tree) : cursor_(ts_tree_cursor_new(ts_tree_root_node(tree))) {
    path_.push_back(ts_tree_cursor_current_node(&cursor_));
  }
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;
  ~Walk() { ts_tree_cursor_delete(&cursor_); }

  TSNode node() const { return path_.back(); }
  size_t depth() const { return path_.size(); }
  // The node `up` levels above; a null node past the root.
  TSNode above(size_t up) const {
    return up < path_.size() ? path_[path_.size() - 1 - up] : TSNode{};
  }

  // To the next node, below this one only if `into`. False at the end.
  bool next(bool into = true) {
    if (into && ts_tree_cursor_goto_first_child(&cursor_)) {
      path_.push_back(ts_tree_cursor_current_node(&cursor_));
      return true;
    }
    while (!ts_tree_cursor_goto_next_sibling(&cursor_)) {
      path_.pop_back();
      if (!ts_tree_cursor_goto_parent(&cursor_)) return false;
    }
    path_.back() = ts_tree_cursor_current_node(&cursor_);
    return true;
  }

 private:
  TSTreeCursor cursor_;
  std::vector<TSNode> path_;
};

std::string_view type(TSNode node);  // empty for a null node
TSNode field(TSNode node, std::string_view name);
std::string_view text(TSNode node, std::string_view source);

bool one_of(std::string_view what, std::initializer_list<std::string_view> names_);

}  // namespace dsv4::tools
