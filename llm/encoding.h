#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/conversation.h"
#include "llm/tokenizer.h"

namespace dsv4::llm {

// The prompt format of DeepSeek-V4 (section 6 of the model page; the authors' encoding_dsv4). The
// markers are added tokens of the published vocabulary.
namespace marker {
inline constexpr std::string_view kBegin = "<｜begin▁of▁sentence｜>";
inline constexpr std::string_view kEnd = "<｜end▁of▁sentence｜>";
inline constexpr std::string_view kUser = "<｜User｜>";
inline constexpr std::string_view kAssistant = "<｜Assistant｜>";
inline constexpr std::string_view kReminder = "<｜latest_reminder｜>";
inline constexpr std::string_view kThink = "<think>";
inline constexpr std::string_view kEndThink = "</think>";
inline constexpr std::string_view kDsml = "｜DSML｜";
}  // namespace marker

// How much the model should think; only thinking mode looks at it.
enum class Effort { kNormal, kMax };

struct EncodeOptions {
  bool thinking = false;  // false: direct mode, the reasoning block is closed at once
  Effort effort = Effort::kNormal;
  bool drop_thinking = true;  // leave out earlier reasoning when there are no tools
  bool begin = true;          // start with the begin-of-sentence marker
};

// A chat as OpenAI's API spells it, as a prompt. `messages` is a list of messages, or an object
// {"tools": [...], "messages": [...]} whose tools belong to the system message at the front (an
// empty one is made if need be). `context` is a list of messages that the prompt already holds:
// they are looked at but not written. Throws FormatError naming the message that is wrong.
std::vector<Segment> encode_messages(const nlohmann::ordered_json& messages,
                                     const EncodeOptions& options,
                                     const nlohmann::ordered_json& context = nullptr);

// The segments' text, one after the other.
std::string join_text(std::span<const Segment> segments);

// Reads a model's turn: what was generated after <｜Assistant｜><think> or <｜Assistant｜></think>,
// with or without the end marker. Fills reasoning, content, calls, malformed and raw. Accepts any
// bytes; those that are not UTF-8 are replaced first. In segments only markup counts as marker: a
// file that spells one can be quoted.
Reply parse_reply(std::span<const Segment> turn, bool thinking);
// The same for a turn of which only the text is known: every marker in it counts.
Reply parse_reply(std::string_view turn, bool thinking);

}  // namespace dsv4::llm
