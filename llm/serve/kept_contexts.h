#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "llm/call_guide.h"
#include "llm/serve/prefix_tree.h"
#include "llm/session.h"

namespace dsv4::llm::serve {

// Sessions that were computed and may be gone on from, by their ids. All are forks of one, and so
// is what runs: what they take together is known, shared pages counted once.
class KeptContexts {
 public:
  // root: at position 0; it must outlive this.
  KeptContexts(const Session& root, int64_t capacity);

  // A session that holds as much of the front of `ids` as was kept.
  std::unique_ptr<Session> fork_for(std::span<const int32_t> ids);

  void put(std::span<const int32_t> ids, std::unique_ptr<Session> session);

  // Lets go of those used least recently until all sessions, `running` others among them, take no
  // more than the capacity, or none is left. Gives memory back to the system now and then: what is
  // let go of lies between what is kept, where the next sessions do not fit exactly.
  void trim(int64_t running);

  int64_t bytes(int64_t running) const;
  size_t size() const { return tree_.size(); }

 private:
  const Session& root_;
  int64_t capacity_;    // bytes
  int64_t let_go_ = 0;  // bytes, since memory was given back
  PrefixTree<std::unique_ptr<Session>> tree_;
};

struct KeptGuide {
  std::string tools;                         // what it guides, for KeptGuides
  std::unique_ptr<CallGuide> guide;          // null without tools
  std::shared_ptr<ArgumentChoices> choices;  // which it asks; to be set before it is used; or null
};

// Guides that are not in use. One that was used before knows which tokens its tools' schemas allow
// in many places.
class KeptGuides {
 public:
  explicit KeptGuides(size_t most) : most_(most) {}

  KeptGuide take(const std::vector<nlohmann::ordered_json>& tools, bool with_choices);
  void give_back(KeptGuide guide);

 private:
  size_t most_;
  std::deque<KeptGuide> kept_;  // the oldest first
};

}  // namespace dsv4::llm::serve
