#include "llm/drafter.h"

#include <algorithm>
#include <cstring>

namespace dsv4::llm {
namespace {

constexpr int64_t kReach = 64 << 10;   // ids that are looked through
constexpr int64_t kTrusted = 6;        // a repetition this long is followed without looking again
constexpr double kMemory = 0.03;       // weight of the newest observation
constexpr double kPays = 1.15;         // speed-up from which a guess is made
constexpr double kForgets = 0.002;     // how fast a measured cost goes back to the expected one
constexpr double kExpectedCost = 0.4;  // of one more id, relative to one alone

int32_t id_at(const PageList& past, int64_t i) {
  int32_t id = 0;
  std::memcpy(&id, past.row(i), sizeof(id));
  return id;
}

// Without a branch for each id, so that it becomes vector code: most pages hold none.
bool holds(const int32_t* ids, int64_t count, int32_t id) {
  int32_t found = 0;
  for (int64_t i = 0; i < count; ++i) found |= static_cast<int32_t>(ids[i] == id);
  return found != 0;
}

// How many ids before position a and before position b agree.
int64_t agreement(const PageList& past, int64_t a, int64_t b, int64_t most) {
  int64_t n = 0;
  while (n < most && n < a && n < b && id_at(past, a - 1 - n) == id_at(past, b - 1 - n)) ++n;
  return n;
}

}  // namespace

std::array<double, Drafter::kLongest + 1> Drafter::prior() {
  std::array<double, kLongest + 1> right{};
  for (size_t length = 1; length < right.size(); ++length) {
    right[length] = static_cast<double>(length) / static_cast<double>(length + 3);
  }
  return right;
}

Drafter::Match Drafter::find(const PageList& past, int64_t position, int32_t next) const {
  constexpr int64_t kRows = PageList::kRowsPerPage;
  Match best;
  int32_t ids[kRows];
  for (int64_t end = position; end > std::max<int64_t>(0, position - kReach);) {
    const int64_t begin = (end - 1) / kRows * kRows;
    const int64_t count = end - begin;
    std::memcpy(ids, past.row(begin), static_cast<size_t>(count) * sizeof(int32_t));
    end = begin;
    if (!holds(ids, count, next)) continue;
    for (int64_t i = count - 1; i >= 0; --i) {
      if (ids[i] != next) continue;
      const int64_t at = begin + i;
      const int64_t length = 1 + agreement(past, at, position, kLongest - 1);
      if (length > best.length) best = {at + 1, length};
      if (length == kLongest) return best;
    }
  }
  return best;
}

double Drafter::relative_cost(int64_t count) const {
  const double measured = seconds_[static_cast<size_t>(count)];
  const double expected = 1.0 + kExpectedCost * static_cast<double>(count - 1);
  return measured > 0 ? measured / seconds_[1] : expected;
}

// How many of the available ids to guess.
int64_t Drafter::worth(int64_t available) const {
  if (seconds_[1] <= 0) return 0;  // nothing to compare with yet
  int64_t best = 0;
  double best_gain = kPays;
  double all_right = 1.0;
  double expected = 1.0;  // ids that a step brings
  for (int64_t n = 1; n <= std::min(available, kMost); ++n) {
    const int64_t length = std::min(match_.length + n - 1, kLongest);
    all_right *= right_[static_cast<size_t>(length)];
    expected += all_right;
    const bool whole = ((n + 1) & n) == 0;  // 2, 4, 8, 16 ids at once: few costs to learn
    const double gain = expected / relative_cost(n + 1);
    if (whole && gain > best_gain) {
      best = n;
      best_gain = gain;
    }
  }
  return best;
}

std::vector<int32_t> Drafter::draft(const PageList& past, int64_t position, int32_t next) {
  const bool right = expected_ == next;
  if (expected_ >= 0) {
    double& rate = right_[static_cast<size_t>(match_.length)];
    rate += kMemory * ((right ? 1.0 : 0.0) - rate);
  }
  if (right && match_.length >= kTrusted) {
    match_ = {match_.following + 1, std::min(match_.length + 1, kLongest)};
  } else {
    match_ = find(past, position, next);
  }
  // What follows the occurrence may run up to `next` itself.
  const int64_t available =
      match_.length == 0 ? 0 : std::max<int64_t>(0, position + 1 - match_.following);
  const auto following = [&](int64_t n) {
    const int64_t at = match_.following + n;
    return at < position ? id_at(past, at) : next;
  };
  expected_ = available > 0 ? following(0) : -1;
  std::vector<int32_t> guess(static_cast<size_t>(worth(available)));
  for (size_t n = 0; n < guess.size(); ++n) guess[n] = following(static_cast<int64_t>(n));
  return guess;
}

void Drafter::took(int64_t count, double seconds) {
  if (count > kMost + 1) return;
  double& mean = seconds_[static_cast<size_t>(count)];
  mean = mean > 0 ? mean + kMemory * (seconds - mean) : seconds;
  // A cost that was measured at a bad moment must not stay for ever.
  for (int64_t n = 2; n <= kMost + 1; ++n) {
    double& other = seconds_[static_cast<size_t>(n)];
    if (n == count || other <= 0 || seconds_[1] <= 0) continue;
    const double expected = seconds_[1] * (1.0 + kExpectedCost * static_cast<double>(n - 1));
    other += kForgets * (expected - other);
  }
}

}  // namespace dsv4::llm
