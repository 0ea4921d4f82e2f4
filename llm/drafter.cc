#include "llm/drafter.h"

#include <algorithm>
#include <utility>

namespace dsv4::llm {
namespace {

constexpr double kMemory = 0.03;         // weight of the newest observation
constexpr double kPays = 1.15;           // speed-up from which a guess is made
constexpr double kPredictionPays = 1.1;  // the same for the MTP layer's
constexpr double kForgets = 0.002;       // how fast a measured cost goes back to the expected one
constexpr double kExpectedCost = 0.4;    // of one more id, relative to one alone
constexpr double kExpectedAsking = 0.3;  // of one id from the MTP layer, likewise

constexpr double kChains = 0.6;  // the first id must be right so often

constexpr int64_t kTrials = 12;               // in a row
constexpr int64_t kMostBetweenTrials = 8192;  // ids

constexpr int64_t kMostSinceAlone = 64;  // steps

}  // namespace

void Drafter::Rate::add(bool is_right) {
  right += (is_right ? 1.0 : 0.0) - kMemory * right;
  seen += 1.0 - kMemory * seen;
}

void Drafter::Mean::add(double seconds) {
  if (seen >= 4) seconds = std::min(seconds, 2 * value);
  value += std::max(kMemory, 1.0 / static_cast<double>(++seen)) * (seconds - value);
}

void Drafter::said(const PageList& past, int64_t position, int32_t next) {
  lookup_.said(past, position, next);
  --learned_->until_trials;
  if (came_true_ == predicted_.size()) return;
  const bool right = predicted_[came_true_] == next;
  learned_->right[came_true_].add(right);
  if (right) {
    ++came_true_;
  } else {
    came_true_ = predicted_.size();
  }
}

double Drafter::relative_cost(int64_t count) const {
  const Mean& measured = learned_->seconds[static_cast<size_t>(count)];
  const double expected = 1.0 + kExpectedCost * static_cast<double>(count - 1);
  return measured.seen > 0 ? measured.value / learned_->seconds[1].value : expected;
}

// How many of the ids to guess that the context suggests. Only 1, 3, 7 or 15: few costs to learn.
Drafter::Choice Drafter::lookup() const {
  Choice best;
  double all_right = 1.0;
  double expected = 1.0;  // ids that a step brings
  for (int64_t n = 1; n <= std::min(lookup_.available(), kMost); ++n) {
    all_right *= lookup_.likelihood(n - 1);
    expected += all_right;
    const bool whole = ((n + 1) & n) == 0;
    const double gain = expected / relative_cost(n + 1);
    if (whole && gain > best.gain) best = {n, gain};
  }
  return best;
}

// How many ids to ask the MTP layer for.
Drafter::Choice Drafter::prediction() const {
  Choice best;
  double all_right = 1.0;
  double expected = 1.0;
  for (int64_t n = 1; n <= kMostAsked; ++n) {
    all_right *= learned_->right[static_cast<size_t>(n) - 1].value();
    expected += all_right;
    const Mean& measured = learned_->asking[static_cast<size_t>(n)];
    const double asking = measured.seen > 0 ? (measured.value + learned_->catching_up.value) /
                                                  learned_->seconds[1].value
                                            : kExpectedAsking * static_cast<double>(n);
    const bool whole = ((n + 1) & n) == 0;
    const double gain = expected / (relative_cost(n + 1) + asking);
    if (whole && gain > best.gain) best = {n, gain};
  }
  return best;
}

// Whether the MTP layer's turn has come to be tried out.
bool Drafter::tries_out() {
  if (learned_->trials == 0 && learned_->until_trials <= 0) {
    learned_->trials = kTrials;
    learned_->between_trials = std::min(learned_->between_trials * 2, kMostBetweenTrials);
    learned_->until_trials = learned_->between_trials;
  }
  return learned_->trials > 0;
}

Drafter::Plan Drafter::plan(const PageList& past, int64_t position, int32_t next, bool may_ask) {
  // What an id costs alone is measured anew now and then: everything is compared with it.
  if (!always_ && (learned_->seconds[1].seen == 0 || ++learned_->since_alone > kMostSinceAlone)) {
    learned_->since_alone = 0;
    return {};
  }
  Plan plan;
  const Choice found = lookup();
  const Choice predicted = may_ask ? prediction() : Choice{};
  const bool copies = found.ids > 0 && (found.gain > kPays || always_);
  const bool asks = predicted.ids > 0 && (predicted.gain > kPredictionPays || always_);
  if (asks && !(copies && found.gain > predicted.gain)) {
    plan.ask = predicted.ids;
    learned_->between_trials = kTrials;
  } else if (copies) {
    for (int64_t n = 0; n < found.ids; ++n) {
      plan.ids.push_back(lookup_.guess(past, position, next, n));
    }
  } else if (may_ask && tries_out()) {
    // Some of the trials show what a chain would bring, where it has a chance.
    const bool chain = --learned_->trials % 4 == 0 && learned_->right[0].value() > kChains;
    plan.ask = chain ? kMostAsked : 1;
  }
  return plan;
}

void Drafter::predicted(std::vector<int32_t> ids, double seconds, double catching_up) {
  learned_->asking[ids.size()].add(seconds);
  learned_->catching_up.add(catching_up);
  predicted_ = std::move(ids);
  came_true_ = 0;
}

void Drafter::took(int64_t count, double seconds) {
  if (count > kMost + 1) return;
  learned_->seconds[static_cast<size_t>(count)].add(seconds);
  if (count == 1) learned_->since_alone = 0;
  if (learned_->seconds[1].seen == 0) return;
  // A cost that was measured at a bad moment must not stay for ever.
  for (int64_t n = 2; n <= kMost + 1; ++n) {
    double& other = learned_->seconds[static_cast<size_t>(n)].value;
    if (n == count || other <= 0) continue;
    const double expected =
        learned_->seconds[1].value * (1.0 + kExpectedCost * static_cast<double>(n - 1));
    other += kForgets * (expected - other);
  }
}

}  // namespace dsv4::llm
