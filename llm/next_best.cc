#include "llm/next_best.h"

#include <algorithm>
#include <utility>

namespace dsv4::llm {
namespace {

constexpr double kUnlikely = -12.0;       // nats: rarer choices of a step are not worth a draw
constexpr size_t kMostBeginnings = 4096;  // the heap is cut back to half of it when full

}  // namespace

bool NextBest::less_probable(const Beginning& a, const Beginning& b) {
  // Equal ones in a fixed order: the same seed must give the same run everywhere.
  return a.log_probability < b.log_probability ||
         (a.log_probability == b.log_probability && a.ids > b.ids);
}

void NextBest::begin_draw(const std::vector<int32_t>& beginning) {
  drawn_ = Beginning{};
  if (next_ && next_->ids == beginning) drawn_ = *std::exchange(next_, std::nullopt);
}

void NextBest::step(std::span<const float> logits, int32_t taken, bool branch) {
  step(token_shares(logits, taken, branch ? kOffered : 0), taken, branch);
}

void NextBest::step(const TokenShares& shares, int32_t taken, bool branch) {
  size_t kept = 0;
  for (const TokenShare& share : shares.best) {
    if (!branch || kept == kOffered - 1 || share.log_probability < kUnlikely) break;
    if (share.id == taken) continue;
    ++kept;
    Beginning other = drawn_;
    other.log_probability += share.log_probability;
    other.ids.push_back(share.id);
    heap_.push_back(std::move(other));
    std::push_heap(heap_.begin(), heap_.end(), less_probable);
  }
  if (heap_.size() > kMostBeginnings) {
    std::sort(heap_.begin(), heap_.end(),
              [](const Beginning& a, const Beginning& b) { return less_probable(b, a); });
    heap_.resize(kMostBeginnings / 2);  // sorted from the best on, which is a heap
  }
  drawn_.log_probability += shares.taken;
  drawn_.ids.push_back(taken);
}

void NextBest::certain(int32_t id) { drawn_.ids.push_back(id); }

std::optional<std::vector<int32_t>> NextBest::next() {
  if (heap_.empty()) return std::nullopt;
  std::pop_heap(heap_.begin(), heap_.end(), less_probable);
  next_ = std::move(heap_.back());
  heap_.pop_back();
  return next_->ids;
}

}  // namespace dsv4::llm
