#pragma once

#include <cstdint>
#include <limits>
#include <memory>

#include "kernels/parallel/isa.h"

namespace dsv4::kernels {

// The largest of a stream of scores, the lower index first among equals. Holds at most twice as
// many as are wanted: when they are too many, all but the best go, and what is offered later has
// to be above the worst of those. What is held stays in the order of its indexes.
class Best {
 public:
  static constexpr int64_t kAtOnce = 32;  // scores offered in one call, at most

  // floor: nothing that is not above it will be among the best. When that was but a guess, held()
  // tells in the end: right if at least as many are held as are wanted.
  Best(Isa isa, int64_t wanted, float floor = -std::numeric_limits<float>::infinity());

  // Scores of entries first, first + 1, ...; calls come in ascending order. A NaN has no order:
  // damaged weights must not lead the search astray.
  void offer(int64_t first, const float* scores, int64_t n);

  // Those held by another that was offered later entries.
  void merge(const Best& other);

  // What is offered next has to be above this to be kept.
  float floor() const { return floor_; }
  // The least of those held when exactly as many as are wanted would be; -inf when there are fewer.
  float least();
  int64_t held() const { return held_; }

  // Moves the indexes of the best into selected, ascending. There may be fewer than wanted, when
  // scores were NaN or -inf.
  int64_t take(int32_t* selected);

 private:
  void shrink();

  Isa isa_;
  int64_t wanted_;
  int64_t held_ = 0;
  float floor_;
  std::unique_ptr<float[]> scores_;     // [2 * wanted + kAtOnce]
  std::unique_ptr<int32_t[]> indexes_;  // of the scores
};

}  // namespace dsv4::kernels
