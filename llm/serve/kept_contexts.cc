#include "llm/serve/kept_contexts.h"

#if defined(__linux__)
#include <malloc.h>
#endif

#include <algorithm>
#include <utility>

namespace dsv4::llm::serve {
namespace {

std::string key_of(const std::vector<nlohmann::ordered_json>& tools) {
  return nlohmann::ordered_json(tools).dump();
}

}  // namespace

KeptContexts::KeptContexts(const Session& root, int64_t capacity)
    : root_(root), capacity_(capacity) {}

std::unique_ptr<Session> KeptContexts::fork_for(std::span<const int32_t> ids) {
  const auto match = tree_.find(ids);
  // A longer one that goes on differently is of use as far back as it has a checkpoint.
  if (match.other != nullptr && match.common > match.length) {
    const std::vector<int64_t> checkpoints = (*match.other)->checkpoints();
    const auto after = std::upper_bound(checkpoints.begin(), checkpoints.end(), match.common);
    if (after != checkpoints.begin() && *std::prev(after) > match.length) {
      std::unique_ptr<Session> session = (*match.other)->fork();
      session->rewind(*std::prev(after));
      return session;
    }
  }
  return match.value != nullptr ? (*match.value)->fork() : root_.fork();
}

void KeptContexts::put(std::span<const int32_t> ids, std::unique_ptr<Session> session) {
  tree_.put(ids, std::move(session));
}

int64_t KeptContexts::bytes(int64_t running) const {
  return root_.page_bytes() + root_.ring_bytes() +
         (static_cast<int64_t>(tree_.size()) + running) * root_.own_bytes();
}

void KeptContexts::trim(int64_t running) {
  const int64_t before = bytes(running);
  while (bytes(running) > capacity_ && tree_.pop_oldest()) {
  }
  let_go_ += before - bytes(running);
  if (let_go_ < capacity_ / 8) return;
  let_go_ = 0;
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

KeptGuide KeptGuides::take(const std::vector<nlohmann::ordered_json>& tools, bool with_choices) {
  if (tools.empty()) return {};
  const std::string key = key_of(tools);
  const auto found = std::find_if(kept_.rbegin(), kept_.rend(), [&](const KeptGuide& kept) {
    return kept.tools == key && (kept.choices != nullptr) == with_choices;
  });
  if (found != kept_.rend()) {
    KeptGuide guide = std::move(*found);
    kept_.erase(std::next(found).base());
    return guide;
  }
  KeptGuide guide;
  guide.tools = key;
  ArgumentChoices asks;
  if (with_choices) {
    guide.choices = std::make_shared<ArgumentChoices>();
    asks = [choices = guide.choices](const auto& earlier, const auto& tool, const auto& parameter,
                                     const auto& arguments) {
      return (*choices)(earlier, tool, parameter, arguments);
    };
  }
  guide.guide = std::make_unique<CallGuide>(tools, std::move(asks));
  return guide;
}

void KeptGuides::give_back(KeptGuide guide) {
  if (!guide.guide) return;
  if (guide.choices) *guide.choices = nullptr;
  kept_.push_back(std::move(guide));
  if (kept_.size() > most_) kept_.pop_front();
}

}  // namespace dsv4::llm::serve
