#pragma once

#include <array>
#include <cstdint>

namespace dsv4::llm {

// How many ids to draft. Learns from every pass how often drafts are accepted, by how much of the
// context matched, and what an id more costs, and takes the length that promises most ids a second:
// none where drafting does not pay. Then it tries again now and then, ever less often.
class DraftPolicy {
 public:
  static constexpr int64_t kMost = 15;     // drafted ids; with the one before them a pass of 16
  static constexpr int64_t kForced = 255;  // `matched` of ids that a grammar leaves no choice about

  // After `matched` ids that stood before what could be drafted (PromptLookup::Proposal).
  int64_t length(int64_t matched);

  // A pass took `seconds`: one id and `drafted` more, of which the first `accepted` stayed. matched
  // is of no account when nothing was drafted.
  void passed(int64_t matched, int64_t drafted, int64_t accepted, double seconds);

 private:
  // Drafts after matches of like length.
  struct Kind {
    double accepted = 0;  // ids, older ones counting less
    double refused = 0;   // drafts that ended before their end, likewise
    int64_t passed_over = 0;
    int64_t patience = 0;  // so many are passed over before the next try
  };
  static size_t kind_of(int64_t matched);
  double chance(size_t kind) const;
  int64_t best_length(double chance) const;
  double cost_of_one_more() const;

  static constexpr size_t kKinds = 6;
  std::array<Kind, kKinds> kinds_{};
  // Least squares of the seconds of a pass over the ids drafted in it, older passes counting less.
  double n_ = 0, k_ = 0, kk_ = 0, t_ = 0, kt_ = 0;
};

}  // namespace dsv4::llm
