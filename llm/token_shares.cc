#include "llm/token_shares.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

namespace dsv4::llm {

TokenShares token_shares(std::span<const float> logits, int32_t taken, size_t most) {
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  float top = kNever;
  for (const float logit : logits) top = std::max(top, logit);
  double sum = 0.0;
  for (const float logit : logits) sum += std::exp(double{logit} - double{top});
  const double total = double{top} + std::log(sum);
  TokenShares out;
  out.taken = double{logits[static_cast<size_t>(taken)]} - total;
  if (most == 0) return out;
  std::vector<std::pair<float, int32_t>> all;
  for (size_t id = 0; id < logits.size(); ++id) {
    if (logits[id] > kNever) all.emplace_back(logits[id], static_cast<int32_t>(id));
  }
  const size_t kept = std::min(all.size(), most);
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(),
                    std::greater<>());
  for (size_t i = 0; i < kept; ++i)
    out.best.push_back({double{all[i].first} - total, all[i].second});
  return out;
}

}  // namespace dsv4::llm
