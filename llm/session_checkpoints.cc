#include "llm/session_checkpoints.h"

#include <utility>

namespace dsv4::llm {
namespace {

constexpr int64_t kSpread = 8;  // the gap around a checkpoint is its age divided by this
constexpr int64_t kFresh = 64;  // so many ids back, every one is kept

}  // namespace

void SessionCheckpoints::add(std::shared_ptr<const SessionCheckpoint> checkpoint) {
  const int64_t now = checkpoint->position;
  cut(now - 1);
  held_.push_back(std::move(checkpoint));
  // One goes when its neighbours are near enough to each other to do without it.
  std::vector<std::shared_ptr<const SessionCheckpoint>> kept;
  for (size_t i = 0; i < held_.size(); ++i) {
    const int64_t age = now - held_[i]->position;
    const bool between = !kept.empty() && i + 1 < held_.size();
    const bool dense = between && held_[i + 1]->position - kept.back()->position <= age / kSpread;
    if (age <= kFresh || !dense) kept.push_back(std::move(held_[i]));
  }
  held_ = std::move(kept);
}

std::shared_ptr<const SessionCheckpoint> SessionCheckpoints::before(int64_t position) const {
  std::shared_ptr<const SessionCheckpoint> found;
  for (const auto& checkpoint : held_) {
    if (checkpoint->position <= position) found = checkpoint;
  }
  return found;
}

void SessionCheckpoints::cut(int64_t position) {
  while (!held_.empty() && held_.back()->position > position) held_.pop_back();
}

}  // namespace dsv4::llm
