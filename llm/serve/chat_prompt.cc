#include "llm/serve/chat_prompt.h"

#include <algorithm>
#include <string>
#include <utility>

#include "llm/call_grammar.h"
#include "llm/encoding_parts.h"
#include "llm/serve/refused.h"

namespace dsv4::llm::serve {
namespace {

using Role = ChatMessage::Role;

// Closer ones are not worth a state of their own, but for the last.
constexpr int64_t kBetweenMarks = 16;  // ids

class Writer {
 public:
  Writer(const ChatRequest& request, bool thinking)
      : messages_(request.messages), thinking_(thinking) {
    while (front_ < messages_.size() && messages_[front_].role == Role::kSystem) ++front_;
    for (size_t i = 0; i < messages_.size(); ++i) {
      if (asks(messages_[i])) last_question_ = i;
    }
    keeps_thoughts_ = !request.tools.empty();
    system(request);
  }

  std::vector<PromptPiece> run() {
    for (size_t i = front_; i < messages_.size();) {
      if (messages_[i].role == Role::kAssistant) {
        assistant(i++);
      } else if (messages_[i].role == Role::kTool) {
        i = results(i);
      } else {
        user(messages_[i++]);
      }
    }
    begin_reply(thinking_);
    return std::move(pieces_);
  }

 private:
  static bool asks(const ChatMessage& message) { return message.role != Role::kAssistant; }

  void system(const ChatRequest& request) {
    std::vector<Segment> out;
    append_markup(out, marker::kBegin);
    if (thinking_) append_effort(out, request.effort);
    for (size_t i = 0; i < front_; ++i) {
      if (i > 0) append_markup(out, "\n\n");
      append_data(out, messages_[i].text());
    }
    if (!request.tools.empty()) {
      append_markup(out, "\n\n");
      append_tools(out, request.tools);
    }
    pieces_.push_back({std::move(out), nullptr, false});
  }

  // Opens the user's turn, or goes on with one.
  void open_user(std::vector<Segment>& out) {
    append_markup(out, in_user_ ? "\n\n" : marker::kUser);
    in_user_ = true;
  }

  void user(const ChatMessage& message) {
    std::vector<Segment> out;
    open_user(out);
    for (size_t i = 0; i < message.parts.size(); ++i) {
      append_data(out, message.parts[i]);
      if (i + 1 < message.parts.size()) pieces_.push_back({std::exchange(out, {}), nullptr, false});
    }
    pieces_.push_back({std::move(out), nullptr, false});
  }

  // Results come in any order; the model sees them in the order of its calls.
  size_t results(size_t first) {
    size_t end = first;
    while (end < messages_.size() && messages_[end].role == Role::kTool) ++end;
    std::vector<const ChatMessage*> sorted;
    for (size_t i = first; i < end; ++i) sorted.push_back(&messages_[i]);
    const auto place = [&](const ChatMessage* result) {
      return std::find(asked_->call_ids.begin(), asked_->call_ids.end(), result->call_id);
    };
    std::stable_sort(sorted.begin(), sorted.end(),
                     [&](const auto* a, const auto* b) { return place(a) < place(b); });
    std::vector<Segment> out;
    for (const ChatMessage* result : sorted) {
      open_user(out);
      std::string text;
      for (size_t i = 0; i < result->parts.size(); ++i) {
        if (i > 0) text += "\n\n";
        text += result->parts[i];
      }
      append_tool_result(out, text);
    }
    pieces_.push_back({std::move(out), nullptr, false});
    return end;
  }

  void begin_reply(bool thinks) {
    std::vector<Segment> out;
    append_markup(out, marker::kAssistant);
    append_markup(out, thinks ? marker::kThink : marker::kEndThink);
    pieces_.push_back({std::move(out), nullptr, false});
    in_user_ = false;
  }

  // Without tools, what was thought before the last question is gone.
  void assistant(size_t index) {
    const ChatMessage& message = messages_[index];
    const bool current = keeps_thoughts_ || index > last_question_;
    const bool thinks = thinking_ && current;
    begin_reply(thinks);
    std::vector<Segment> out;
    if (thinks) {
      append_data(out, message.reasoning);
      append_markup(out, marker::kEndThink);
    }
    append_data(out, message.text());
    if (!message.calls.empty()) append_calls(out, message.calls);
    append_markup(out, marker::kEnd);
    pieces_.push_back({std::move(out), &message, thinks == thinking_});
    asked_ = &message;
  }

  const std::vector<ChatMessage>& messages_;
  bool thinking_;
  bool keeps_thoughts_ = false;
  size_t front_ = 0;  // messages that make the system's
  size_t last_question_ = 0;
  bool in_user_ = false;
  const ChatMessage* asked_ = nullptr;  // the model's last turn
  std::vector<PromptPiece> pieces_;
};

// The ids of a turn that the model has spoken, its end included; nothing when they are not known.
std::optional<std::vector<int32_t>> sampled(const PromptPiece& piece, const Prompt& before,
                                            int32_t end, SaidReplies& said) {
  if (!piece.said || !piece.as_sampled) return std::nullopt;
  auto ids = said.find(before.digest.value(),
                       {piece.said->text(), piece.said->reasoning, piece.said->calls});
  if (ids && (ids->empty() || ids->back() != end)) ids->push_back(end);
  return ids;
}

void mark(Prompt& prompt, bool last) {
  const auto here = static_cast<int64_t>(prompt.ids.size());
  const int64_t before = prompt.marks.empty() ? 0 : prompt.marks.back();
  if (here - before >= (last ? 1 : kBetweenMarks)) prompt.marks.push_back(here);
}

}  // namespace

std::vector<PromptPiece> chat_pieces(const ChatRequest& request, bool thinking) {
  return Writer(request, thinking).run();
}

Prompt chat_prompt(const ChatRequest& request, bool thinking, const Tokenizer& tokenizer,
                   SaidReplies& said) {
  const int32_t end = tokenizer.added_token(marker::kEnd).value();
  Prompt prompt;
  const std::vector<PromptPiece> pieces = chat_pieces(request, thinking);
  for (const PromptPiece& piece : pieces) {
    const auto known = sampled(piece, prompt, end, said);
    const std::vector<int32_t> ids = known ? *known : tokenizer.encode(piece.text);
    prompt.ids.insert(prompt.ids.end(), ids.begin(), ids.end());
    prompt.digest.add(ids);
    if (&piece != &pieces.back()) mark(prompt, &piece == &pieces.back() - 1);
  }
  return prompt;
}

std::string call_beginning(const std::string& tool) {
  std::string text = "\n\n" + std::string(call_tag::kOpen);
  if (!tool.empty()) text += "<｜DSML｜invoke name=\"" + tool + "\">\n";
  return text;
}

Prompt completion_prompt(const CompletionRequest& request, const Tokenizer& tokenizer,
                         int64_t vocabulary) {
  Prompt prompt;
  if (request.text) {
    std::vector<Segment> text;
    append_markup(text, marker::kBegin);
    append_data(text, *request.text);
    prompt.ids = tokenizer.encode(text);
  } else {
    prompt.ids = request.ids;
    for (const int32_t id : prompt.ids) {
      if (id < 0 || id >= vocabulary) {
        throw Refused("prompt: the id " + std::to_string(id) + " is outside the vocabulary of " +
                          std::to_string(vocabulary),
                      "prompt");
      }
    }
  }
  prompt.digest.add(prompt.ids);
  mark(prompt, true);
  return prompt;
}

}  // namespace dsv4::llm::serve
