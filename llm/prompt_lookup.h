#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "llm/page_list.h"

namespace dsv4::llm {

// Guesses from what the context holds already (an edit repeats the lines around it, a test report
// the names of the tests): the ids that followed the longest earlier occurrence of the last ids,
// the latest of equals. Counts how often such a guess is right, by how long the repetition already
// is; it goes on counting while nothing is guessed, which costs a look through the ids. Copies
// count together.
class PromptLookup {
 public:
  // The sequence goes on with `next`, after the ids in `past`: [position] rows of int32_t. Called
  // for every sampled id.
  void said(const PageList& past, int64_t position, int32_t next);

  // How many ids can be guessed to follow the one that was said last.
  int64_t available() const { return available_; }
  // The n-th of them, from 0. `past`, `position` and `next` as they were given last.
  int32_t guess(const PageList& past, int64_t position, int32_t next, int64_t n) const;
  // How likely the n-th of them is right if those before it are.
  double likelihood(int64_t n) const;

 private:
  // Where the last ids have occurred before.
  struct Match {
    int64_t following = 0;  // position of the id after the occurrence
    int64_t length = 0;     // ids that agree; 0: none
  };
  static constexpr int64_t kLongest = 16;  // agreements beyond this count as this long
  using Likelihoods = std::array<double, kLongest + 1>;

  static Likelihoods prior();
  Match find(const PageList& past, int64_t position, int32_t next) const;

  Match match_;
  int64_t available_ = 0;
  int32_t expected_ = -1;  // the id after the last match; -1: none
  std::shared_ptr<Likelihoods> right_ = std::make_shared<Likelihoods>(prior());
};

}  // namespace dsv4::llm
