#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace dsv4::llm {

// One token that may come next, and how likely it is.
struct TokenShare {
  double log_probability = 0.0;  // natural logarithm of its part of the softmax over all logits
  int32_t id = 0;
};

struct TokenShares {
  double taken = 0.0;            // log probability of the token that was taken
  std::vector<TokenShare> best;  // the likeliest first, of equals the higher id; none at -inf
};

// What the logits [vocab], finite or -inf, offered where `taken` was taken: its share and the
// `most` best ones, which may hold it.
TokenShares token_shares(std::span<const float> logits, int32_t taken, size_t most);

}  // namespace dsv4::llm
