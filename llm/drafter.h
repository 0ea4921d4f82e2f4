#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "llm/page_list.h"

namespace dsv4::llm {

// Guesses what a model will say from what the context holds already (prompt lookup: an edit repeats
// the lines around it, a test report the names of the tests): the ids that followed the longest
// earlier occurrence of the last ids, the latest of equals.
//
// It keeps count of how often such a guess is right, by how long the repetition already is, and of
// what computing more ids at once costs here, and guesses only as much as pays. It goes on counting
// while it guesses nothing, which costs a look through the ids. Guesses never change what a model
// says, so neither do these counts.
class Drafter {
 public:
  static constexpr int64_t kMost = 15;  // ids in one guess

  // The ids to compute along with `next`, which follows the ids in `past`: [position] rows of
  // int32_t. Called for every sampled id.
  std::vector<int32_t> draft(const PageList& past, int64_t position, int32_t next);

  // What computing `count` ids at once took; more than kMost + 1 are of no interest.
  void took(int64_t count, double seconds);

 private:
  // Where the last ids have occurred before.
  struct Match {
    int64_t following = 0;  // position of the id after the occurrence
    int64_t length = 0;     // ids that agree; 0: none
  };
  static constexpr int64_t kLongest = 16;  // agreements beyond this count as this long

  Match find(const PageList& past, int64_t position, int32_t next) const;
  int64_t worth(int64_t available) const;
  double relative_cost(int64_t count) const;

  Match match_;
  int32_t expected_ = -1;  // the id after the last match; -1: none
  std::array<double, kLongest + 1> right_ = prior();
  std::array<double, kMost + 2> seconds_{};  // by count; 0: not measured yet
  static std::array<double, kLongest + 1> prior();
};

}  // namespace dsv4::llm
