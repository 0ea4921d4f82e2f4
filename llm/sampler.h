#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "llm/conversation.h"

namespace dsv4::llm {

// Draws token ids from logits. The same seed and logits give the same ids on every machine.
class Sampler {
 public:
  // Throws FormatError when a setting is outside its range (temperature >= 0, 0 < top_p <= 1,
  // top_k >= 0, 0 <= min_p <= 1).
  explicit Sampler(const Sampling& sampling);

  // logits: [vocab], finite or -inf. Temperature 0 takes the best (the lowest id of equals). Else
  // in this order: temperature, top-k, min-p (relative to the best), top-p, one draw.
  int32_t sample(std::span<const float> logits);

 private:
  Sampling sampling_;
  std::mt19937_64 random_;
  std::vector<std::pair<float, int32_t>> candidates_;  // kept between calls to spare allocations
};

// The id of the largest logit, the lowest of equals. Throws Error when none is a number.
int32_t greedy(std::span<const float> logits);

}  // namespace dsv4::llm
