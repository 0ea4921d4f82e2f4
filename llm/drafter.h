#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "llm/page_list.h"
#include "llm/prompt_lookup.h"

namespace dsv4::llm {

// Decides what is computed along with a sampled id: the ids that the context suggests
// (PromptLookup), or those that the MTP layer says (MtpDrafter), or nothing.
//
// It keeps count of how often such guesses are right and of what they and the computing of more ids
// at once cost here, and takes what brings the most ids a second, if that pays. The MTP layer is
// tried for a few ids now and then, ever more rarely while it does not pay. Copies, which go on
// from one place of a sequence, learn together. Guesses never change what a model says, so neither
// does what was learned.
class Drafter {
 public:
  static constexpr int64_t kMost = 15;      // ids in one guess
  static constexpr int64_t kMostAsked = 3;  // of the MTP layer

  struct Plan {
    std::vector<int32_t> ids;  // to be computed along with the id that was said last
    int64_t ask = 0;           // of the MTP layer, instead of `ids`
  };

  // always: guess whether it pays or not.
  explicit Drafter(bool always) : always_(always) {}

  // The sequence goes on with `next`, after the ids in `past`: [position] rows of int32_t. Called
  // for every sampled id.
  void said(const PageList& past, int64_t position, int32_t next);

  // What to compute with the id that was said last, given as it was then. may_ask: whether the MTP
  // layer can be asked. A plan must be carried out.
  Plan plan(const PageList& past, int64_t position, int32_t next, bool may_ask);

  // The MTP layer was asked and has said these ids, which took so long, and bringing it up to date
  // before that so long.
  void predicted(std::vector<int32_t> ids, double seconds, double catching_up);

  // What computing `count` ids at once took; more than kMost + 1 are of no interest.
  void took(int64_t count, double seconds);

 private:
  // How often something was right, the latest the most.
  struct Rate {
    double right, seen;
    void add(bool is_right);
    double value() const { return right / seen; }
  };
  struct Choice {
    int64_t ids = 0;
    double gain = 0;  // in ids for each that could be computed alone in the time
  };

  // Of seconds, the latest the most; a moment in which the machine did something else counts
  // little.
  struct Mean {
    double value = 0;
    int64_t seen = 0;
    void add(double seconds);
  };

  Choice lookup() const;
  Choice prediction() const;
  bool tries_out();
  double relative_cost(int64_t count) const;

  struct Learned {
    std::array<Mean, kMost + 2> seconds{};  // by count of ids computed at once
    int64_t since_alone = 0;                // steps since an id was computed alone
    std::array<Rate, kMostAsked> right{{{1.4, 2}, {1.2, 2}, {1.0, 2}}};  // if those before were
    std::array<Mean, kMostAsked + 1> asking{};                           // by count
    Mean catching_up;    // for each time the MTP layer is asked
    int64_t trials = 0;  // left of those going on
    int64_t until_trials = 64;
    int64_t between_trials = 128;
  };

  bool always_;
  PromptLookup lookup_;
  std::shared_ptr<Learned> learned_ = std::make_shared<Learned>();
  std::vector<int32_t> predicted_;
  size_t came_true_ = 0;  // so many of them
};

}  // namespace dsv4::llm
