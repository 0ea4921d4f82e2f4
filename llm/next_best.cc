#include "llm/next_best.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace dsv4::llm {
namespace {

constexpr size_t kChoices = 12;           // kept of one step
constexpr double kUnlikely = -12.0;       // nats: rarer choices of a step are not worth a draw
constexpr size_t kMostBeginnings = 4096;  // the heap is cut back to half of it when full

double log_sum_exp(std::span<const float> logits, float top) {
  double sum = 0.0;
  for (const float logit : logits) sum += std::exp(double{logit} - double{top});
  return double{top} + std::log(sum);
}

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
  float top = -std::numeric_limits<float>::infinity();
  for (const float logit : logits) top = std::max(top, logit);
  const double total = log_sum_exp(logits, top);
  if (branch) {
    std::vector<std::pair<double, int32_t>> choices;
    for (size_t id = 0; id < logits.size(); ++id) {
      const double share = double{logits[id]} - total;
      if (share >= kUnlikely && static_cast<int32_t>(id) != taken) {
        choices.emplace_back(share, static_cast<int32_t>(id));
      }
    }
    const size_t kept = std::min(choices.size(), kChoices);
    std::partial_sort(choices.begin(), choices.begin() + static_cast<std::ptrdiff_t>(kept),
                      choices.end(), std::greater<>());
    for (size_t k = 0; k < kept; ++k) {
      Beginning other = drawn_;
      other.log_probability += choices[k].first;
      other.ids.push_back(choices[k].second);
      heap_.push_back(std::move(other));
      std::push_heap(heap_.begin(), heap_.end(), less_probable);
    }
    if (heap_.size() > kMostBeginnings) {
      std::sort(heap_.begin(), heap_.end(),
                [](const Beginning& a, const Beginning& b) { return less_probable(b, a); });
      heap_.resize(kMostBeginnings / 2);  // sorted from the best on, which is a heap
    }
  }
  drawn_.log_probability += double{logits[static_cast<size_t>(taken)]} - total;
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
