#include "llm/draft_policy.h"

#include <algorithm>

namespace dsv4::llm {
namespace {

// Before anything was seen: how likely the next id of a draft is right, by what matched, with the
// weight of so many ids.
constexpr double kExpected[] = {0.3, 0.45, 0.7, 0.85, 0.95, 0.9};
constexpr double kExpectedWeight = 2.0;
constexpr double kExpectedCost = 0.3;  // of an id more in a pass, in passes of one id
constexpr double kForgetDrafts = 0.9;
constexpr double kForgetPasses = 0.98;
constexpr double kWorthIt = 1.03;  // ids a second over those without drafts
constexpr double kSpike = 4.0;     // a pass so much longer than usual was interrupted
constexpr int64_t kFirstPatience = 4;
constexpr int64_t kMostPatience = 256;

}  // namespace

size_t DraftPolicy::kind_of(int64_t matched) {
  if (matched == kForced) return 5;
  if (matched >= 16) return 4;
  if (matched >= 8) return 3;
  if (matched >= 4) return 2;
  return matched == 3 ? 1 : 0;
}

double DraftPolicy::chance(size_t kind) const {
  const Kind& k = kinds_[kind];
  return (k.accepted + kExpectedWeight * kExpected[kind]) /
         (k.accepted + k.refused + kExpectedWeight);
}

// In passes of one id.
double DraftPolicy::cost_of_one_more() const {
  const double spread = n_ * kk_ - k_ * k_;
  if (n_ < 2 || spread < 0.5 * n_) return kExpectedCost;
  const double slope = (n_ * kt_ - k_ * t_) / spread;
  const double one = (t_ - slope * k_) / n_;
  if (one <= 0) return kExpectedCost;
  return std::clamp(slope / one, 0.01, 1.0);
}

int64_t DraftPolicy::best_length(double chance) const {
  const double cost = cost_of_one_more();
  double ids = 1;
  double right = 1;
  double best = kWorthIt;
  int64_t length = 0;
  for (int64_t k = 1; k <= kMost; ++k) {
    right *= chance;
    ids += right;
    const double rate = ids / (1 + cost * static_cast<double>(k));
    if (rate <= best) continue;
    best = rate;
    length = k;
  }
  return length;
}

int64_t DraftPolicy::length(int64_t matched) {
  const size_t at = kind_of(matched);
  Kind& kind = kinds_[at];
  const int64_t best = best_length(chance(at));
  if (best > 0) {
    kind.patience = 0;
    return best;
  }
  if (kind.patience == 0) kind.patience = kFirstPatience;
  if (++kind.passed_over < kind.patience) return 0;
  kind.passed_over = 0;
  kind.patience = std::min(kMostPatience, 2 * kind.patience);
  return 1;
}

void DraftPolicy::passed(int64_t matched, int64_t drafted, int64_t accepted, double seconds) {
  if (drafted > 0) {
    Kind& kind = kinds_[kind_of(matched)];
    kind.accepted = kForgetDrafts * kind.accepted + static_cast<double>(accepted);
    kind.refused = kForgetDrafts * kind.refused + (accepted < drafted ? 1 : 0);
  }
  const auto k = static_cast<double>(drafted);
  if (n_ > 0) seconds = std::min(seconds, kSpike * (1 + k) * t_ / n_);
  n_ = kForgetPasses * n_ + 1;
  k_ = kForgetPasses * k_ + k;
  kk_ = kForgetPasses * kk_ + k * k;
  t_ = kForgetPasses * t_ + seconds;
  kt_ = kForgetPasses * kt_ + k * seconds;
}

}  // namespace dsv4::llm
