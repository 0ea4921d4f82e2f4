#include "llm/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "llm/error.h"

namespace dsv4::llm {
namespace {

void check(bool fine, const char* what) {
  if (!fine) throw FormatError("sampling", what);
}

// Uniform in [0, 1) from the top 53 bits: std::uniform_real_distribution may differ from one
// standard library to another.
double uniform(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

using Candidate = std::pair<float, int32_t>;

bool better(const Candidate& a, const Candidate& b) {
  return a.first > b.first || (a.first == b.first && a.second < b.second);
}

// Keeps the shortest run of the best candidates whose shares (first, out of `total`) reach top_p.
void keep_top_p(std::vector<Candidate>& candidates, double total, double top_p) {
  double sum = 0.0;
  size_t n = 0;
  while (n < candidates.size() && sum < top_p * total) sum += double{candidates[n++].first};
  candidates.resize(std::max<size_t>(n, 1));
}

}  // namespace

Sampler::Sampler(const Sampling& sampling) : sampling_(sampling), random_(sampling.seed) {
  check(std::isfinite(sampling.temperature) && sampling.temperature >= 0.0,
        "the temperature must be 0 (greedy) or more");
  check(sampling.top_p > 0.0 && sampling.top_p <= 1.0, "top-p must be above 0 and at most 1");
  check(sampling.top_k >= 0, "top-k must be 0 (no limit) or more");
  check(sampling.min_p >= 0.0 && sampling.min_p <= 1.0, "min-p must be from 0 to 1");
}

int32_t greedy(std::span<const float> logits) {
  int32_t best = -1;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (std::isnan(logits[i])) continue;
    if (best < 0 || logits[i] > logits[static_cast<size_t>(best)]) best = static_cast<int32_t>(i);
  }
  if (best < 0) throw Error("the model computed no number for any token; its weights are damaged");
  return best;
}

int32_t Sampler::sample(std::span<const float> logits) {
  const int32_t best = greedy(logits);
  const double top = logits[static_cast<size_t>(best)];
  if (sampling_.temperature == 0.0 || !std::isfinite(top)) return best;

  // From here a candidate's number is its share relative to the best one, so min-p is a plain
  // bound.
  candidates_.clear();
  for (size_t i = 0; i < logits.size(); ++i) {
    const double share = std::exp((double{logits[i]} - top) / sampling_.temperature);
    if (share > 0.0 && share >= sampling_.min_p) {
      candidates_.emplace_back(static_cast<float>(share), static_cast<int32_t>(i));
    }
  }
  const auto limit = static_cast<size_t>(sampling_.top_k);
  const bool cut = limit > 0 && limit < candidates_.size();
  if (cut) {
    std::nth_element(candidates_.begin(), candidates_.begin() + sampling_.top_k - 1,
                     candidates_.end(), better);
    candidates_.resize(limit);
  }
  if (cut || sampling_.top_p < 1.0) std::sort(candidates_.begin(), candidates_.end(), better);
  double total = 0.0;
  for (const Candidate& c : candidates_) total += double{c.first};
  if (sampling_.top_p < 1.0) {
    keep_top_p(candidates_, total, sampling_.top_p);
    total = 0.0;
    for (const Candidate& c : candidates_) total += double{c.first};
  }
  double left = uniform(random_) * total;
  for (const Candidate& c : candidates_) {
    left -= double{c.first};
    if (left < 0.0) return c.second;
  }
  return candidates_.back().second;
}

}  // namespace dsv4::llm
