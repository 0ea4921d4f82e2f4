#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace dsv4::llm::serve {

// Values by sequences of ids, in a radix tree: for a sequence it finds the value of its longest
// beginning. Remembers which values were used least recently.
template <class Value>
class PrefixTree {
 public:
  PrefixTree() = default;
  PrefixTree(const PrefixTree&) = delete;
  PrefixTree& operator=(const PrefixTree&) = delete;

  // Pointers are valid until the next put() or pop_oldest().
  struct Match {
    Value* value = nullptr;  // of the longest beginning of the sequence that has one
    int64_t length = 0;      // ids of that beginning
    Value* other = nullptr;  // of a sequence that shares `common` ids with this one
    int64_t common = 0;      // the most ids that it shares with any
  };

  // Counts as a use of `value`.
  Match find(std::span<const int32_t> ids) {
    Match match;
    Node* node = &root_;
    size_t at = 0;
    for (;;) {
      if (node->value) {
        match.value = &*node->value;
        match.length = static_cast<int64_t>(at);
        used_.splice(used_.begin(), used_, node->used);
      }
      const auto next = at < ids.size() ? node->children.find(ids[at]) : node->children.end();
      if (next == node->children.end()) break;
      node = next->second.get();
      const size_t same = shared(node->edge, ids.subspan(at));
      at += same;
      if (same < node->edge.size()) break;
    }
    match.common = static_cast<int64_t>(at);
    while (!node->value && !node->children.empty()) node = node->children.begin()->second.get();
    if (node->value) match.other = &*node->value;
    return match;
  }

  // Replaces the value of the same sequence.
  void put(std::span<const int32_t> ids, Value value) {
    Node* node = &root_;
    for (size_t at = 0; at < ids.size();) {
      const auto rest = ids.subspan(at);
      std::unique_ptr<Node>& next = node->children[rest.front()];
      if (!next) {
        next = std::make_unique<Node>();
        next->edge.assign(rest.begin(), rest.end());
        next->parent = node;
      }
      const size_t same = shared(next->edge, rest);
      if (same < next->edge.size()) split(next, same);
      node = next.get();
      at += same;
    }
    if (node->value) {
      used_.splice(used_.begin(), used_, node->used);
    } else {
      used_.push_front(node);
      node->used = used_.begin();
    }
    node->value.emplace(std::move(value));
  }

  // Takes out the value that was used least recently; nothing when there is none.
  std::optional<Value> pop_oldest() {
    if (used_.empty()) return std::nullopt;
    Node* node = used_.back();
    used_.pop_back();
    std::optional<Value> value = std::exchange(node->value, std::nullopt);
    tidy(node);
    return value;
  }

  size_t size() const { return used_.size(); }

 private:
  struct Node {
    std::vector<int32_t> edge;  // ids from the parent to here
    Node* parent = nullptr;
    std::map<int32_t, std::unique_ptr<Node>> children;  // by the first id of their edges
    std::optional<Value> value;
    typename std::list<Node*>::iterator used;  // where there is a value
  };

  static size_t shared(std::span<const int32_t> a, std::span<const int32_t> b) {
    return static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first -
                               a.begin());
  }

  // Puts a node between the parent and the child, after `length` ids of the edge.
  static void split(std::unique_ptr<Node>& place, size_t length) {
    const auto cut = place->edge.begin() + static_cast<std::ptrdiff_t>(length);
    auto middle = std::make_unique<Node>();
    middle->edge.assign(place->edge.begin(), cut);
    middle->parent = place->parent;
    place->edge.erase(place->edge.begin(), cut);
    place->parent = middle.get();
    const int32_t first = place->edge.front();
    middle->children.emplace(first, std::move(place));
    place = std::move(middle);
  }

  // Removes nodes that lead to no value, and those that only lead on.
  void tidy(Node* node) {
    while (node != &root_ && !node->value && node->children.empty()) {
      Node* parent = node->parent;
      const int32_t first = node->edge.front();
      parent->children.erase(first);
      node = parent;
    }
    if (node == &root_ || node->value || node->children.size() != 1) return;
    std::unique_ptr<Node> child = std::move(node->children.begin()->second);
    child->edge.insert(child->edge.begin(), node->edge.begin(), node->edge.end());
    child->parent = node->parent;
    std::unique_ptr<Node>& place = node->parent->children[child->edge.front()];
    place = std::move(child);  // ends `node`
  }

  Node root_;
  std::list<Node*> used_;  // the latest first
};

}  // namespace dsv4::llm::serve
