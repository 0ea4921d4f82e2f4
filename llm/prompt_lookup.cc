#include "llm/prompt_lookup.h"

#include <algorithm>
#include <cstring>

namespace dsv4::llm {
namespace {

constexpr int64_t kReach = 64 << 10;  // ids that are looked through
constexpr int64_t kTrusted = 6;       // a repetition this long is followed without looking again
constexpr double kMemory = 0.03;      // weight of the newest observation

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

PromptLookup::Likelihoods PromptLookup::prior() {
  Likelihoods right{};
  for (size_t length = 1; length < right.size(); ++length) {
    right[length] = static_cast<double>(length) / static_cast<double>(length + 3);
  }
  return right;
}

PromptLookup::Match PromptLookup::find(const PageList& past, int64_t position, int32_t next) const {
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

void PromptLookup::said(const PageList& past, int64_t position, int32_t next) {
  const bool right = expected_ == next;
  if (expected_ >= 0) {
    double& rate = (*right_)[static_cast<size_t>(match_.length)];
    rate += kMemory * ((right ? 1.0 : 0.0) - rate);
  }
  if (right && match_.length >= kTrusted) {
    match_ = {match_.following + 1, std::min(match_.length + 1, kLongest)};
  } else {
    match_ = find(past, position, next);
  }
  // What follows the occurrence may run up to `next` itself.
  available_ = match_.length == 0 ? 0 : std::max<int64_t>(0, position + 1 - match_.following);
  expected_ = available_ > 0 ? guess(past, position, next, 0) : -1;
}

int32_t PromptLookup::guess(const PageList& past, int64_t position, int32_t next, int64_t n) const {
  const int64_t at = match_.following + n;
  return at < position ? id_at(past, at) : next;
}

double PromptLookup::likelihood(int64_t n) const {
  return (*right_)[static_cast<size_t>(std::min(match_.length + n, kLongest))];
}

}  // namespace dsv4::llm
