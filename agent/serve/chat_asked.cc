// What a request asks of the engine.
#include <algorithm>
#include <utility>

#include "agent/serve/chat_service.h"
#include "llm/encoding.h"
#include "llm/serve/chat_request.h"

namespace dsv4::agent::serve {

using llm::serve::Refused;

namespace {

// Whether it holds a marker that ends a turn and begins another's. Shown as text, it would be known
// again as what somebody else's model has said.
bool forges(int32_t id, const llm::Tokenizer& tokenizer) {
  const std::string_view bytes = tokenizer.bytes(id);
  const auto holds = [&](std::string_view marker) { return bytes.find(marker) != bytes.npos; };
  return tokenizer.is_marker(id) &&
         (holds(llm::marker::kBegin) || holds(llm::marker::kUser) ||
          holds(llm::marker::kAssistant) || holds(llm::marker::kReminder));
}

}  // namespace

ChatService::Asked ChatService::read_chat(const std::string& body) const {
  const llm::serve::ChatRequest request = llm::serve::parse_chat_request(body);
  Asked out;
  out.turn.thinking = request.thinking.value_or(options_.thinking);
  out.turn.prompt = llm::serve::chat_prompt(request, out.turn.thinking, engine_->model().tokenizer,
                                            engine_->said());
  out.turn.remember = true;
  out.turn.one_call = request.one_call;
  if (request.may_call) out.turn.tools = llm::serve::guide_schemas(request.tools);
  if (request.must_call) {
    if (out.turn.thinking) {
      throw Refused("tool_choice may be auto or none when the model thinks first", "tool_choice",
                    "unsupported_value");
    }
    out.turn.beginning = llm::serve::call_beginning(request.must_call_tool);
  }
  out.turn.prefix = request.prefix;
  const llm::Tokenizer& tokenizer = engine_->model().tokenizer;
  for (const int32_t id : request.prefix) {
    if (id >= tokenizer.size()) {
      throw Refused("prefix_token_ids: there is no token " + std::to_string(id),
                    "prefix_token_ids");
    }
    if (forges(id, tokenizer)) out.turn.remember = false;
  }
  out.turn.choices = request.choices;
  out.turn.top_tokens = request.top_tokens;
  out.tokens_as_ids = request.tokens_as_ids;
  fill(request.generation, out);
  return out;
}

ChatService::Asked ChatService::read_completion(const std::string& body) const {
  const llm::serve::CompletionRequest request = llm::serve::parse_completion_request(body);
  Asked out;
  out.turn.prompt =
      llm::serve::completion_prompt(request, engine_->model().tokenizer, engine_->vocabulary());
  fill(request.generation, out);
  return out;
}

void ChatService::fill(const llm::serve::Generation& generation, Asked& out) const {
  const llm::LocalModel& model = engine_->model();
  if (generation.model != options_.model) {
    throw Refused("there is no model of that name here, only " + options_.model, "model",
                  "model_not_found", 404);
  }
  const auto prompt = static_cast<int64_t>(out.turn.prompt.ids.size());
  const int64_t room = model.window - prompt;
  if (room <= 0) {
    throw Refused("the prompt has " + std::to_string(prompt) + " tokens, and " + options_.model +
                      " reads " + std::to_string(model.window) +
                      " with its answer: send a shorter one",
                  "messages", "context_length_exceeded");
  }
  out.turn.sampling = generation.sampling;
  out.turn.max_tokens =
      std::min({generation.max_tokens.value_or(options_.max_tokens), options_.max_tokens, room});
  out.turn.stop = generation.stop;
  out.turn.endless = generation.ignore_eos;
  out.model = generation.model;
  out.seeded = generation.seeded;
  out.stream = generation.stream;
  out.usage = generation.include_usage;
}

}  // namespace dsv4::agent::serve
