#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "llm/token_shares.h"

namespace dsv4::llm {

// The turns a model could have spoken instead of one that was taken back: every choice that a draw
// did not take, with the probability of the turn up to and including it. next() gives the most
// probable beginning that was not followed yet, so that draws from one context come without
// repeating any, roughly from the most probable turn downwards.
class NextBest {
 public:
  // A draw begins with these ids, taken from next(); empty for the first.
  void begin_draw(const std::vector<int32_t>& beginning);

  // One step after the beginning: what the logits [vocab] (finite or -inf) offered and what was
  // taken. The other choices are kept when `branch` is true.
  void step(std::span<const float> logits, int32_t taken, bool branch);

  // The same where the shares are known: the kOffered best of them.
  static constexpr size_t kOffered = 13;
  void step(const TokenShares& shares, int32_t taken, bool branch);

  // The same for an id beside which there was no choice.
  void certain(int32_t id);

  // The ids with which the next draw begins; nothing when no choice is left.
  std::optional<std::vector<int32_t>> next();

 private:
  struct Beginning {
    double log_probability = 0.0;  // in nats, of the ids after the context
    std::vector<int32_t> ids;
  };
  static bool less_probable(const Beginning& a, const Beginning& b);

  Beginning drawn_;
  std::optional<Beginning> next_;  // what next() gave last: its probability is known
  std::vector<Beginning> heap_;
};

}  // namespace dsv4::llm
