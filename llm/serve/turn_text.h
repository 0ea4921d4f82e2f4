#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "llm/conversation.h"
#include "llm/serve/call_pieces.h"
#include "llm/tokenizer.h"

namespace dsv4::llm::serve {

// One token of a turn, and how likely it was.
struct SaidToken {
  int32_t id = 0;
  std::string bytes;
  double log_probability = 0.0;  // among those that might come; 0: there was no choice
  std::vector<SaidToken> best;   // the likeliest of them, which may hold it
};

// What of a turn may be shown now that could not before.
struct Delta {
  std::string reasoning;
  std::string content;
  std::vector<CallPiece> pieces;  // of calls, while they are written
  std::vector<ToolCall> calls;    // whole ones, when the turn has ended: what the pieces add up to
  std::vector<SaidToken> tokens;  // said, where they were asked for

  bool empty() const {
    return reasoning.empty() && content.empty() && pieces.empty() && tokens.empty();
  }
};

// Takes a model's turn apart while it is generated: into thoughts, text and calls, of which nothing
// has to be taken back later. What could still become a tag of the prompt format, or a text to stop
// at, is held back until it is certain.
class TurnText {
 public:
  // thinking: the turn begins with thoughts. may_call: else what looks like a call is text.
  TurnText(bool thinking, bool may_call, std::vector<std::string> stop);

  // Goes on; pieces are valid UTF-8, the end marker of the turn left out. True when a text to stop
  // at has come: what is pushed afterwards is of no interest.
  bool push(const std::string& piece, bool markup, Delta& out);

  // The turn has ended. A block of calls that cannot be read is text like any other; of one that
  // was cut there may have been pieces, but no call.
  void finish(bool ended_itself, Delta& out);

  // All that was shown.
  const Delta& shown() const { return shown_; }
  // Whether that is the whole turn: nothing was cut off its end.
  bool shown_whole() const { return !stopped_ && open_.empty(); }

 private:
  enum class Phase { kThought, kText, kCalls };

  void show(std::string_view text, std::string Delta::*where, Delta& out);
  size_t find_tag(std::string_view tag) const;
  bool thought(Delta& out);
  bool text(Delta& out);
  size_t held_back(size_t end) const;
  void erase(size_t count);

  bool thinking_;
  bool may_call_;
  Phase phase_;
  std::vector<std::string> stop_;
  std::vector<Segment> turn_;  // what parse_reply reads
  std::string open_;           // of the turn's text: not shown yet
  std::vector<bool> markup_;   // of each byte of open_
  CallPieces pieces_;
  Delta shown_;  // without pieces
  bool stopped_ = false;
};

}  // namespace dsv4::llm::serve
