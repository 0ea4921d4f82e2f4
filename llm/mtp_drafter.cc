#include "llm/mtp_drafter.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace dsv4::llm {

bool MtpDrafter::usable(const Model& model) {
  return !model.weights().mtp.empty() && !model.config().mtp.front().compresses();
}

MtpDrafter::MtpDrafter(const Model& model, kernels::RowFormat stored, const StateMemory& memory)
    : width_(model.config().hc_mult * model.config().hidden_size),
      vocab_(model.config().vocab_size),
      rows_(kSlots, width_, memory.rings),
      state_(model.config(), model.config().mtp.front(), stored, memory) {}

void MtpDrafter::keep(int64_t start, int64_t count, const float* streams) {
  if (start < begin_ || start > end_) begin_ = start;
  end_ = start + count;
  begin_ = std::max(begin_, end_ - kSlots);
  rows_.own(std::max(start, begin_), end_);
  for (int64_t p = std::max(start, begin_); p < end_; ++p) {
    std::copy_n(streams + (p - start) * width_, width_, rows_.own_row(p));
  }
}

void MtpDrafter::cut(int64_t position) {
  end_ = std::min(end_, position);
  begin_ = std::min(begin_, end_);
  // The last position's row was computed with the id after it.
  computed_ = std::min(computed_, std::max<int64_t>(0, position - 1));
}

void MtpDrafter::clear() {
  begin_ = end_ = computed_ = 0;
  state_.ring.clear();
}

void MtpDrafter::catch_up(const ForwardContext& ctx, Network& network, const PageList& past,
                          int64_t position) {
  const int64_t last = position - 1;
  const int64_t first = std::max({computed_, begin_, position - kReach});
  if (first >= last) return;
  const auto count = static_cast<size_t>(last - first);
  std::vector<int32_t> next(count);
  std::vector<float> streams(count * static_cast<size_t>(width_));
  for (size_t i = 0; i < count; ++i) {
    const int64_t p = first + static_cast<int64_t>(i);
    std::memcpy(&next[i], past.row(p + 1), sizeof(int32_t));
    std::copy_n(rows_.row(p), width_, streams.data() + static_cast<int64_t>(i) * width_);
  }
  network.run_mtp(ctx, next, first, streams.data(), state_);
  computed_ = last;
}

std::vector<int32_t> MtpDrafter::guess(const ForwardContext& ctx, Network& network,
                                       int64_t position, int32_t next, int64_t count) {
  std::vector<int32_t> ids;
  std::vector<float> streams(rows_.row(position - 1), rows_.row(position - 1) + width_);
  std::vector<float> logits(static_cast<size_t>(vocab_));
  for (int64_t at = position - 1; static_cast<int64_t>(ids.size()) < count; ++at) {
    network.run_mtp(ctx, {&next, 1}, at, streams.data(), state_);
    network.mtp_logits(ctx, 0, 1, logits.data());
    std::copy_n(network.streams(), width_, streams.data());
    next = static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
    ids.push_back(next);
  }
  computed_ = position;  // what was guessed beyond it is computed again when it has come true
  return ids;
}

}  // namespace dsv4::llm
