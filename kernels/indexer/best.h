#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace dsv4::kernels {

// The largest of a stream of scores, the lower index first among equals. Holds at most twice as
// many as are wanted: when they are too many, all but the best go, and what is offered later has
// to be above the worst of those.
class Best {
 public:
  explicit Best(int64_t wanted) : wanted_(static_cast<size_t>(wanted)) {
    held_.reserve(2 * wanted_);
  }

  // Scores of entries first, first + 1, ...; calls come in ascending order. A NaN has no order:
  // damaged weights must not lead the search astray.
  void offer(int64_t first, const float* scores, int64_t n) {
    // Nearly always none is above the floor.
    bool any = false;
    for (int64_t i = 0; i < n; ++i) any |= scores[i] > floor_;
    for (int64_t i = 0; i < n && any; ++i) {
      if (scores[i] > floor_) push({scores[i], static_cast<int32_t>(first + i)});
    }
  }

  // Those held by another that was offered other entries.
  void merge(const Best& other) {
    for (const Entry& entry : other.held_) push(entry);
  }

  // Moves the indexes of the best into selected, ascending. There may be fewer than wanted, when
  // scores were NaN or -inf.
  int64_t take(int32_t* selected) {
    shrink();
    for (size_t i = 0; i < held_.size(); ++i) selected[i] = held_[i].index;
    std::sort(selected, selected + held_.size());
    return static_cast<int64_t>(held_.size());
  }

 private:
  struct Entry {
    float score;
    int32_t index;
    bool operator<(const Entry& other) const {
      return score > other.score || (score == other.score && index < other.index);
    }
  };

  void push(const Entry& entry) {
    held_.push_back(entry);
    if (held_.size() < 2 * wanted_) return;
    shrink();
    floor_ = std::max_element(held_.begin(), held_.end())->score;
  }

  void shrink() {
    if (held_.size() <= wanted_) return;
    std::nth_element(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(wanted_ - 1),
                     held_.end());
    held_.resize(wanted_);
  }

  size_t wanted_;
  float floor_ = -std::numeric_limits<float>::infinity();
  std::vector<Entry> held_;
};

}  // namespace dsv4::kernels
