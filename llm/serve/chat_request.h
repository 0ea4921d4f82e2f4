#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/argument_places.h"
#include "llm/conversation.h"
#include "llm/encoding.h"

namespace dsv4::llm::serve {

// The requests of OpenAI's chat and text completions as a server of one model reads them. Nothing
// that a client sends is silently left undone: a field that is not known, or asks for what this
// engine does not do, is refused.
//
// Two fields are this server's own; the list of models names them as its "extensions". They let a
// client take a turn back and go another way, and say which values an argument may have:
//   prefix_token_ids  ids with which the turn begins; the reply holds the whole turn, its logprobs
//                     what follows them
//   argument_choices  a list of {"earlier", "tool", "parameter", "arguments", "values"}: a place as
//                     llm::ArgumentPlace has it, and the values of that argument, null for any
//                     text. A turn that comes to an argument whose place is not in the list ends
//                     there: its finish_reason is "argument_choices", and so is the name of the
//                     list of places, in the same choice, that are to be told.

// What both kinds say about the text to be generated.
struct Generation {
  std::string model;
  Sampling sampling;                  // the seed only where `seeded`
  bool seeded = false;                // else every reply is drawn anew
  std::optional<int64_t> max_tokens;  // 1 or more
  std::vector<std::string> stop;      // none of them empty
  bool stream = false;
  bool include_usage = false;  // in a last chunk of the stream
  bool ignore_eos = false;     // as vLLM has it: go on until the tokens have run out
};

// One message. Content is a list of texts that follow each other without anything between them.
struct ChatMessage {
  enum class Role { kSystem, kUser, kAssistant, kTool };

  Role role = Role::kUser;
  std::vector<std::string> parts;
  std::string reasoning;              // an assistant's
  std::vector<ToolCall> calls;        // an assistant's
  std::vector<std::string> call_ids;  // theirs
  std::string call_id;                // of a tool's result

  std::string text() const;  // the parts joined
};

struct ChatRequest {
  Generation generation;
  std::vector<ChatMessage> messages;          // the last one is a user's or a tool's
  std::vector<nlohmann::ordered_json> tools;  // as given: {"name", ...}
  bool may_call = false;                      // there are tools, and the choice is not "none"
  bool one_call = false;                      // at most one in a turn
  bool must_call = false;                     // without a text before it; not when it thinks
  std::string must_call_tool;                 // this one; empty: any
  std::optional<bool> thinking;               // default: the server's
  Effort effort = Effort::kNormal;
  std::optional<size_t> top_tokens;    // logprobs: for each token so many of the likeliest
  bool tokens_as_ids = false;          // spelled "token_id:N", as vLLM has it
  std::vector<int32_t> prefix;         // prefix_token_ids: the turn begins with them
  std::optional<ToldChoices> choices;  // argument_choices
};

struct CompletionRequest {
  Generation generation;
  std::optional<std::string> text;  // the prompt,
  std::vector<int32_t> ids;         // or its ids
};

// Most values in the JSON of a request, and members of one object in it.
inline constexpr int64_t kMostValues = int64_t{1} << 22;
inline constexpr int64_t kMostMembers = 4096;

// These throw Refused.
ChatRequest parse_chat_request(std::string_view body);
CompletionRequest parse_completion_request(std::string_view body);

// The tools with schemas that a CallGuide can follow, whatever the client left out.
std::vector<nlohmann::ordered_json> guide_schemas(const std::vector<nlohmann::ordered_json>& tools);

}  // namespace dsv4::llm::serve
