#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "llm/call_guide.h"

namespace dsv4::llm {

struct LocalModel;

// What a guide makes of the choice between tokens while one turn is drawn: which of them come
// without any, and what the logits are of those that may come. Without a guide it leaves everything
// as it is.
class GuidedDraw {
 public:
  // Both must outlive it; the guide may be null.
  GuidedDraw(const LocalModel& model, CallGuide* guide) : model_(&model), guide_(guide) {}

  // A turn begins, which thinks first if `thinking`.
  void begin_turn(bool thinking);
  // The id was said.
  void accept(int32_t id);

  // The next id when there is no choice: it can be said without computing what the model thinks of
  // it. Each is given once.
  std::optional<int32_t> certain();
  // These ids come next, whatever the guide says.
  void force(std::vector<int32_t> ids);

  // After certain() had none: the logits [vocab] with everything at -inf that may not come. Valid
  // until the next call; where nothing is forbidden they are the logits given.
  std::span<const float> allowed(std::span<const float> logits);

  bool guided() const { return guide_ != nullptr; }
  // Whether one call has ended and another, or the end of the block, is to come.
  bool between_calls() const { return guide_ != nullptr && guide_->between_calls(); }

 private:
  const LocalModel* model_;
  CallGuide* guide_;
  std::vector<int32_t> certain_;  // the last one first
  TokenMask mask_;
  std::vector<float> masked_;  // [vocab], kept between tokens to spare allocations
};

}  // namespace dsv4::llm
