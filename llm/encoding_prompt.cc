#include "llm/encoding_prompt.h"

#include <string>

#include "llm/encoding_parts.h"
#include "llm/error.h"

namespace dsv4::llm {

std::vector<Segment> PromptBuilder::system(std::string_view text,
                                           const std::vector<nlohmann::ordered_json>& tools) {
  if (turn_ != Turn::kNone) throw FormatError("conversation", "system() comes first and once");
  turn_ = Turn::kSystem;
  std::vector<Segment> out;
  append_markup(out, marker::kBegin);
  if (thinking_) append_effort(out, effort_);
  append_data(out, text);
  if (!tools.empty()) {
    append_markup(out, "\n\n");
    append_tools(out, tools);
  }
  return out;
}

void PromptBuilder::open_user(std::vector<Segment>& out) {
  if (turn_ == Turn::kModel) throw FormatError("conversation", "the model's turn has not ended");
  if (turn_ == Turn::kUser) return;
  if (turn_ == Turn::kNone) out = system("", {});
  if (turn_ == Turn::kBrokenOff) append_markup(out, marker::kEnd);
  append_markup(out, marker::kUser);
  turn_ = Turn::kUser;
  after_result_ = false;
}

std::vector<Segment> PromptBuilder::user(std::string_view part) {
  std::vector<Segment> out;
  open_user(out);
  if (after_result_) append_markup(out, "\n\n");
  append_data(out, part);
  after_result_ = false;
  return out;
}

std::vector<Segment> PromptBuilder::tool_results(std::span<const std::string> results) {
  std::vector<Segment> out;
  const bool after_text = turn_ == Turn::kUser;
  open_user(out);
  for (size_t i = 0; i < results.size(); ++i) {
    if (i > 0 || after_text) append_markup(out, "\n\n");
    append_tool_result(out, results[i]);
    after_result_ = true;
  }
  return out;
}

std::vector<Segment> PromptBuilder::begin_reply() {
  if (turn_ != Turn::kUser) throw FormatError("conversation", "there is nothing to reply to");
  turn_ = Turn::kModel;
  std::vector<Segment> out;
  append_markup(out, marker::kAssistant);
  append_markup(out, thinking_ ? marker::kThink : marker::kEndThink);
  return out;
}

void PromptBuilder::end_reply(bool ended_itself) {
  if (turn_ != Turn::kModel) throw FormatError("conversation", "the model has not begun a turn");
  turn_ = ended_itself ? Turn::kSpoken : Turn::kBrokenOff;
}

void PromptBuilder::go_to(Place place) {
  if (place.turn < 0 || place.turn > static_cast<int>(Turn::kBrokenOff)) {
    throw FormatError("conversation", "there is no turn " + std::to_string(place.turn));
  }
  turn_ = static_cast<Turn>(place.turn);
  after_result_ = place.after_result;
}

}  // namespace dsv4::llm
