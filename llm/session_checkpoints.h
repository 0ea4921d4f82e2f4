#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "llm/layer_state.h"

namespace dsv4::llm {

// What it takes, beside the entries, to go on from a position.
struct SessionCheckpoint {
  int64_t position = 0;
  std::vector<LayerMoment> layers;
  std::vector<float> logits;  // [vocab] after the last id; empty at position 0
};

// The checkpoints of a sequence. The older one is, the fewer are kept around it: gaps stay within
// an eighth of the distance to the end, so that their number grows with its logarithm. Copies share
// them.
class SessionCheckpoints {
 public:
  // Replaces one at the same position; positions ascend otherwise.
  void add(std::shared_ptr<const SessionCheckpoint> checkpoint);

  // The last one at or before `position`; null when there is none.
  std::shared_ptr<const SessionCheckpoint> before(int64_t position) const;

  // Forgets those after `position`.
  void cut(int64_t position);

  const std::vector<std::shared_ptr<const SessionCheckpoint>>& all() const { return held_; }

 private:
  std::vector<std::shared_ptr<const SessionCheckpoint>> held_;  // ascending
};

}  // namespace dsv4::llm
