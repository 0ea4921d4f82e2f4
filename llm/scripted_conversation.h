#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llm/conversation.h"
#include "llm/encoding_prompt.h"

namespace dsv4::llm {

// A stretch of a conversation's context, in order.
struct RecordedSegment {
  std::string role;  // "system", "user", "tool" or "assistant"
  std::string text;
  bool markup = false;   // markers in it are tokens (see Segment)
  bool sampled = false;  // the model writes this, end marker included; else it is prompt
  // Segments with one number are tokenised together, apart from all others; counts up from 0.
  int append = 0;
};

// A conversation whose replies come from the caller instead of a model: for tests of the loop, and
// for a teacher whose transcripts a model is trained on. The context is what a LocalConversation
// would hold: the same encoder makes it.
class ScriptedConversation : public Conversation {
 public:
  // Makes the next reply: of its fields reasoning, content and calls are written out as the model
  // would write them, or `raw` as it stands when that is set. The reply that the loop gets is
  // parsed back from the text. Called with the context so far, the reply's header included.
  using Script = std::function<Reply(std::span<const RecordedSegment>, const ReplyOptions&)>;

  struct Options {
    bool thinking = false;
    int64_t window = 1 << 20;
    std::string model_name = "scripted";
    // Called after every reply, of forks too, with the whole context.
    std::function<void(std::span<const RecordedSegment>)> on_reply;
  };

  explicit ScriptedConversation(Script script) : ScriptedConversation(std::move(script), {}) {}
  ScriptedConversation(Script script, Options options);
  // The given replies in order; llm::Error when there are no more. A fork goes on with the reply
  // that its parent would have given next.
  explicit ScriptedConversation(std::vector<Reply> replies)
      : ScriptedConversation(std::move(replies), {}) {}
  ScriptedConversation(std::vector<Reply> replies, Options options);

  const std::vector<RecordedSegment>& segments() const { return segments_; }

  void system(std::string_view text, const std::vector<nlohmann::ordered_json>& tools) override;
  void user(std::string_view part) override;
  void tool_results(std::span<const std::string> results) override;
  bool prefill(const PrefillProgress& progress, std::stop_token cancel) override;
  // The object holds everything: nothing is written to a directory.
  nlohmann::ordered_json save(const std::filesystem::path& directory) override;
  void resume(std::span<const nlohmann::ordered_json> saved,
              const std::filesystem::path& directory) override;
  Reply reply(const ReplyOptions& options) override;
  std::unique_ptr<Conversation> fork() const override;
  // Without a vocabulary a token is taken to be four bytes.
  Usage usage() const override;
  int64_t window() const override { return options_.window; }
  std::string model_name() const override { return options_.model_name; }

 private:
  void record(const std::string& role, const std::vector<Segment>& added, bool sampled);
  Reply next(const ReplyOptions& options);

  Script script_;  // empty: replies_ from next_reply_ on
  std::vector<Reply> replies_;
  size_t next_reply_ = 0;
  Options options_;
  PromptBuilder prompt_;
  std::vector<RecordedSegment> segments_;
  int appends_ = 0;
  size_t saved_ = 0;  // segments that save() has handed out
  Usage usage_;
  int64_t pending_ = 0;
};

}  // namespace dsv4::llm
