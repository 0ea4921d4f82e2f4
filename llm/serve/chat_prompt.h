#pragma once

#include <cstdint>
#include <vector>

#include "llm/encoding.h"
#include "llm/serve/chat_request.h"
#include "llm/serve/said_replies.h"
#include "llm/tokenizer.h"

namespace dsv4::llm::serve {

// A stretch of the prompt that is tokenised together and apart from all others, so that a context
// which was computed once stays the prefix of what comes. Text of messages is data.
struct PromptPiece {
  std::vector<Segment> text;
  const ChatMessage* said = nullptr;  // the turn of the model that it is; null for all else
  bool as_sampled = false;            // that turn stands in the context as the model spoke it
};

// The prompt of a chat, as encode_messages writes it. The system's and developers' messages at the
// front are joined by blank lines; a later one is part of the user's turn. The pieces point into
// the request.
std::vector<PromptPiece> chat_pieces(const ChatRequest& request, bool thinking);

struct Prompt {
  std::vector<int32_t> ids;
  std::vector<int64_t> marks;  // positions at which other prompts may part from this one, ascending
  ContextDigest digest;        // of the ids
};

Prompt chat_prompt(const ChatRequest& request, bool thinking, const Tokenizer& tokenizer,
                   SaidReplies& said);

// What a turn begins with that must call a tool: this one, or any where the name is empty.
std::string call_beginning(const std::string& tool);

// Throws Refused when an id is outside the vocabulary.
Prompt completion_prompt(const CompletionRequest& request, const Tokenizer& tokenizer,
                         int64_t vocabulary);

}  // namespace dsv4::llm::serve
