#include "llm/prompt_lookup.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace dsv4::llm {
namespace {

constexpr int64_t kGrams[] = {4, 3, 2};  // lengths looked up, the longest first
constexpr int64_t kSlotsPerId = 4;       // at least; the table doubles
constexpr size_t kFewestSlots = size_t{1} << 10;
constexpr size_t kMostSlots = size_t{1} << 22;
constexpr int64_t kMostIds = int64_t{1} << 30;  // places are 32 bits wide

}  // namespace

PromptLookup::PromptLookup()
    : ids_(sizeof(int32_t), std::make_shared<PageMemory>()),
      places_(std::make_shared<std::vector<int32_t>>(kFewestSlots)) {}

int32_t PromptLookup::id(int64_t i) const {
  int32_t value = 0;
  std::memcpy(&value, ids_.row(i), sizeof(value));
  return value;
}

size_t PromptLookup::slot(int64_t end, int64_t length) const {
  auto hash = static_cast<uint64_t>(length);
  for (int64_t i = end - length; i < end; ++i) {
    hash = (hash ^ static_cast<uint32_t>(id(i))) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 29;
  }
  return hash & (places_->size() - 1);
}

void PromptLookup::remember(int64_t end) {
  for (const int64_t n : kGrams) {
    if (end >= n) (*places_)[slot(end, n)] = static_cast<int32_t>(end);
  }
}

void PromptLookup::grow() {
  places_ = std::make_shared<std::vector<int32_t>>(
      std::min(kMostSlots, std::max(kFewestSlots, places_->size() * 2)));
  for (int64_t end = 2; end < size(); ++end) remember(end);
}

// An n-gram is entered when its continuation is known, so that a look-up of the context's end finds
// an earlier place and never itself.
void PromptLookup::append(std::span<const int32_t> ids) {
  if (ids.empty() || size() + static_cast<int64_t>(ids.size()) > kMostIds) return;
  if (places_.use_count() > 1) places_ = std::make_shared<std::vector<int32_t>>(*places_);
  for (const int32_t next : ids) {
    const int64_t end = size();
    if (source_ > 0) source_ = id(source_) == next ? source_ + 1 : 0;
    ids_.resize(end + 1);
    std::memcpy(ids_.new_row(end), &next, sizeof(next));
    const auto needed = static_cast<size_t>(kSlotsPerId * (end + 1));
    if (needed > places_->size() && places_->size() < kMostSlots) grow();
    remember(end);
  }
}

// How many ids before `place` equal those at the end of the context, up to kLongest.
int64_t PromptLookup::matched_before(int64_t place) const {
  const int64_t most = std::min(kLongest, place);
  int64_t n = 0;
  while (n < most && id(place - 1 - n) == id(size() - 1 - n)) ++n;
  return n;
}

PromptLookup::Proposal PromptLookup::propose(int64_t most) {
  Proposal proposal;
  int64_t place = source_;
  int64_t matched = place > 0 ? matched_before(place) : 0;
  for (const int64_t n : kGrams) {
    if (matched >= n || size() < n) break;
    const int64_t other = (*places_)[slot(size(), n)];
    if (other <= 0 || other >= size()) continue;
    const int64_t length = matched_before(other);
    if (length < n) continue;
    place = other;
    matched = length;
  }
  if (matched < kGrams[2]) return proposal;
  source_ = place;
  proposal.matched = matched;
  // A repetition that reaches the end of the context goes on into what is proposed.
  for (int64_t i = place; i < place + most; ++i) {
    proposal.ids.push_back(i < size() ? id(i) : proposal.ids[static_cast<size_t>(i - size())]);
  }
  return proposal;
}

}  // namespace dsv4::llm
