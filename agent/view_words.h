#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "llm/conversation.h"

namespace dsv4::agent {

// The words in which a run is shown to people, for every view of it.

// 1234567 as 1,234,567.
std::string grouped(int64_t number);

// 3 KB, 1.2 MB, 7.0 GB.
std::string byte_count(uint64_t bytes);

// The call's arguments in one line that begins with a blank: values only, the first words of each.
std::string call_summary(const llm::ToolCall& call);

// How far the model has read, and how fast: one prompt after another.
class ReadingPace {
 public:
  // "512/1,024 tokens, 900 tokens/s, 1 s left". `done` of `total` ends the prompt.
  std::string describe(int64_t done, int64_t total);

 private:
  bool reading_ = false;
  int64_t first_ = 0;  // tokens that were done when it began
  std::chrono::steady_clock::time_point began_;
};

// [#####.....]
std::string progress_bar(double share, size_t width);

// A turn's text as it streams in, up to its calls, which are shown when they are made.
class SpokenText {
 public:
  // What of the turn can be shown now: not what may still become the marker of the calls. Without
  // blank lines at the front of the turn.
  std::string push(std::string_view piece);
  // The next piece begins a turn.
  void clear() { *this = SpokenText(); }

 private:
  std::string held_back_;
  bool begun_ = false;  // something was shown
  bool calls_ = false;  // the rest of the turn is calls
};

}  // namespace dsv4::agent
