#include "llm/serve/said_replies.h"

namespace dsv4::llm::serve {
namespace {

// Of an entry beside its ids, roughly: the key twice and the nodes around it.
constexpr int64_t kEntryBytes = 256;

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void add_text(Sha256& sum, const std::string& text) {
  sum.add(bytes_of(std::to_string(text.size()) + ':'));
  sum.add(bytes_of(text));
}

Digest key_of(const Digest& context, const ShownTurn& turn) {
  Sha256 sum;
  sum.add(context);
  add_text(sum, turn.reasoning);
  add_text(sum, turn.content);
  for (const ToolCall& call : turn.calls) {
    add_text(sum, call.name);
    add_text(sum,
             call.arguments.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  }
  return sum.finish();
}

}  // namespace

void ContextDigest::add(std::span<const int32_t> ids) {
  sum_.add({reinterpret_cast<const uint8_t*>(ids.data()), ids.size_bytes()});
}

Digest ContextDigest::value() const {
  Sha256 copy = sum_;
  return copy.finish();
}

void SaidReplies::add(const Digest& context, const ShownTurn& turn, std::vector<int32_t> ids) {
  const std::lock_guard lock(mutex_);
  put(key_of(context, turn), ids);
  if (!turn.reasoning.empty()) put(key_of(context, {turn.content, "", turn.calls}), ids);
}

void SaidReplies::put(const Digest& key, const std::vector<int32_t>& ids) {
  const auto size = [](const std::vector<int32_t>& of) {
    return static_cast<int64_t>(of.size() * sizeof(int32_t)) + kEntryBytes;
  };
  const auto found = entries_.find(key);
  if (found != entries_.end()) {
    bytes_ += size(ids) - size(found->second.ids);
    found->second.ids = ids;
    used_.splice(used_.begin(), used_, found->second.used);
  } else {
    used_.push_front(key);
    entries_.emplace(key, Entry{ids, used_.begin()});
    bytes_ += size(ids);
  }
  while (bytes_ > capacity_ && !used_.empty()) {
    const auto oldest = entries_.find(used_.back());
    bytes_ -= size(oldest->second.ids);
    entries_.erase(oldest);
    used_.pop_back();
  }
}

std::optional<std::vector<int32_t>> SaidReplies::find(const Digest& context,
                                                      const ShownTurn& turn) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key_of(context, turn));
  if (found == entries_.end()) return std::nullopt;
  used_.splice(used_.begin(), used_, found->second.used);
  return found->second.ids;
}

int64_t SaidReplies::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace dsv4::llm::serve
