#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/encoding.h"

namespace dsv4::llm {

// The prompt of a conversation as it grows: each call returns the segments to add to the context.
// What one call returns is tokenised together and apart from everything else, so that a context
// that was computed once stays the prefix of what comes. Calls in the wrong order throw
// FormatError.
class PromptBuilder {
 public:
  PromptBuilder(bool thinking, Effort effort) : thinking_(thinking), effort_(effort) {}

  // First of all, once: instructions and tool schemas. The text is data, as is everything below.
  std::vector<Segment> system(std::string_view text,
                              const std::vector<nlohmann::ordered_json>& tools);

  // Adds to the user's turn, opening one if none is open. Parts are joined as they are; a blank
  // line stands between them and tool results.
  std::vector<Segment> user(std::string_view part);
  std::vector<Segment> tool_results(std::span<const std::string> results);

  // Ends the user's turn; the model speaks next.
  std::vector<Segment> begin_reply();

  // The model has spoken. Unless it ended its turn itself, the end marker is written before
  // whatever comes next.
  void end_reply(bool ended_itself);

  bool thinking() const { return thinking_; }

  // Where in the conversation it is, for another builder with the same settings to go on from.
  struct Place {
    int turn = 0;
    bool after_result = false;
  };
  Place place() const { return {static_cast<int>(turn_), after_result_}; }
  // Throws FormatError for what place() never gives.
  void go_to(Place place);

 private:
  enum class Turn { kNone, kSystem, kUser, kModel, kSpoken, kBrokenOff };

  void open_user(std::vector<Segment>& out);

  bool thinking_;
  Effort effort_;
  Turn turn_ = Turn::kNone;
  bool after_result_ = false;  // the last part of the user's turn is a tool result
};

}  // namespace dsv4::llm
