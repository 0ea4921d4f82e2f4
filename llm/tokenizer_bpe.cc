#include "llm/tokenizer_bpe.h"

#include <functional>
#include <queue>

namespace dsv4::llm {
namespace {

// Below this many bytes, looking at every pair again after each join is faster than a heap.
constexpr size_t kShortWord = 24;

uint64_t key_of(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

}  // namespace

BytePairs::BytePairs(const std::array<int32_t, 256>& byte_ids, const std::vector<Merge>& merges)
    : byte_ids_(byte_ids) {
  rules_.reserve(merges.size());
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const Merge& merge = merges[rank];
    rules_.insert_or_assign(key_of(merge.left, merge.right),
                            Rule{static_cast<int32_t>(rank), merge.joined});
  }
}

const BytePairs::Rule* BytePairs::rule(int32_t left, int32_t right) const {
  const auto found = rules_.find(key_of(left, right));
  return found == rules_.end() ? nullptr : &found->second;
}

void BytePairs::encode(std::string_view word, std::vector<int32_t>& ids) const {
  if (word.size() <= kShortWord) {
    encode_short(word, ids);
  } else {
    encode_long(word, ids);
  }
}

void BytePairs::encode_short(std::string_view word, std::vector<int32_t>& ids) const {
  std::array<int32_t, kShortWord> tokens{};
  std::array<const Rule*, kShortWord> rules{};  // rules[i] joins tokens i and i + 1
  size_t count = word.size();
  for (size_t i = 0; i < count; ++i) tokens[i] = byte_ids_[static_cast<unsigned char>(word[i])];
  for (size_t i = 0; i + 1 < count; ++i) rules[i] = rule(tokens[i], tokens[i + 1]);
  while (count > 1) {
    size_t best = count;
    for (size_t i = 0; i + 1 < count; ++i) {
      if (rules[i] && (best == count || rules[i]->rank < rules[best]->rank)) best = i;
    }
    if (best == count) break;
    tokens[best] = rules[best]->joined;
    --count;
    for (size_t i = best + 1; i < count; ++i) tokens[i] = tokens[i + 1];
    for (size_t i = best + 1; i + 1 < count; ++i) rules[i] = rules[i + 1];
    if (best > 0) rules[best - 1] = rule(tokens[best - 1], tokens[best]);
    if (best + 1 < count) rules[best] = rule(tokens[best], tokens[best + 1]);
  }
  ids.insert(ids.end(), tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(count));
}

void BytePairs::encode_long(std::string_view word, std::vector<int32_t>& ids) const {
  // A doubly linked list over the bytes; a joined pair lives on in its left node.
  struct Node {
    int32_t token;
    size_t previous, next;  // word.size(): none
  };
  struct Candidate {
    int32_t rank;
    size_t at;
    int32_t left, right, joined;  // stale once the nodes hold other tokens
    bool operator>(const Candidate& other) const {
      return rank != other.rank ? rank > other.rank : at > other.at;
    }
  };
  const size_t none = word.size();
  std::vector<Node> nodes(word.size());
  for (size_t i = 0; i < word.size(); ++i) {
    nodes[i] = {byte_ids_[static_cast<unsigned char>(word[i])], i == 0 ? none : i - 1, i + 1};
  }
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto consider = [&](size_t at) {
    const size_t next = nodes[at].next;
    if (next == none) return;
    if (const Rule* found = rule(nodes[at].token, nodes[next].token)) {
      queue.push({found->rank, at, nodes[at].token, nodes[next].token, found->joined});
    }
  };
  for (size_t i = 0; i < word.size(); ++i) consider(i);
  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    Node& node = nodes[top.at];
    if (node.token != top.left || node.next == none || nodes[node.next].token != top.right) {
      continue;
    }
    Node& gone = nodes[node.next];
    node.token = top.joined;
    gone.token = -1;
    node.next = gone.next;
    if (node.next != none) nodes[node.next].previous = top.at;
    consider(top.at);
    if (node.previous != none) consider(node.previous);
  }
  for (size_t i = 0; i != none; i = nodes[i].next) ids.push_back(nodes[i].token);
}

}  // namespace dsv4::llm
