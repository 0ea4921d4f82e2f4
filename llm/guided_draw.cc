#include "llm/guided_draw.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "llm/local_conversation.h"

namespace dsv4::llm {

void GuidedDraw::begin_turn(bool thinking) {
  certain_.clear();
  if (guide_ != nullptr) guide_->begin_turn(thinking);
}

void GuidedDraw::accept(int32_t id) {
  if (guide_ != nullptr) guide_->accept(model_->tokenizer.bytes(id));
}

void GuidedDraw::force(std::vector<int32_t> ids) {
  certain_ = std::move(ids);
  std::reverse(certain_.begin(), certain_.end());
}

std::optional<int32_t> GuidedDraw::certain() {
  if (certain_.empty() && guide_ != nullptr) {
    force(forced_ids(model_->tokenizer, guide_->forced()));
  }
  if (!certain_.empty()) {
    const int32_t id = certain_.back();
    certain_.pop_back();
    return id;
  }
  if (guide_ == nullptr) return std::nullopt;
  guide_->mask(model_->table, mask_);
  if (!mask_.all_but && mask_.ids.size() == 1 && !guide_->may_end()) return mask_.ids.front();
  return std::nullopt;
}

std::span<const float> GuidedDraw::allowed(std::span<const float> logits) {
  if (guide_ == nullptr || (mask_.all_but && mask_.ids.empty() && guide_->may_end())) {
    return logits;
  }
  apply_mask(mask_, guide_->may_end(), model_->end_id, logits, masked_);
  // A vocabulary that cannot spell what is allowed: better a free turn than none.
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  const bool stuck =
      std::none_of(masked_.begin(), masked_.end(), [](float value) { return value > kNever; });
  return stuck ? logits : std::span<const float>(masked_);
}

}  // namespace dsv4::llm
