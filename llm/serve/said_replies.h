#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "llm/conversation.h"
#include "llm/sha256.h"

namespace dsv4::llm::serve {

// The digest of a context, as it grows.
class ContextDigest {
 public:
  void add(std::span<const int32_t> ids);
  Digest value() const;

 private:
  Sha256 sum_;
};

// A model's turn as a client was shown it.
struct ShownTurn {
  std::string content;
  std::string reasoning;  // empty: there was none, or the client left it out
  std::vector<ToolCall> calls;
};

// Which ids the model had sampled for the turns that were shown. A client sends a turn back as
// text, and another spelling of it in ids would be another context: nothing that was computed for
// the first could be used. The least recently used turns are forgotten. Threads may share one.
class SaidReplies {
 public:
  explicit SaidReplies(int64_t capacity) : capacity_(capacity) {}  // bytes

  // context: of all ids before the turn.
  void add(const Digest& context, const ShownTurn& turn, std::vector<int32_t> ids);
  // Nothing when the turn, in that context, was not sampled here. Without its reasoning a turn is
  // found as well.
  std::optional<std::vector<int32_t>> find(const Digest& context, const ShownTurn& turn);

  int64_t bytes() const;

 private:
  struct Entry {
    std::vector<int32_t> ids;
    std::list<Digest>::iterator used;
  };
  void put(const Digest& key, const std::vector<int32_t>& ids);

  int64_t capacity_;
  mutable std::mutex mutex_;
  int64_t bytes_ = 0;
  std::map<Digest, Entry> entries_;
  std::list<Digest> used_;  // the latest first
};

}  // namespace dsv4::llm::serve
