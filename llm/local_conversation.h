#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "llm/conversation.h"
#include "llm/encoding_prompt.h"
#include "llm/model.h"
#include "llm/token_table.h"
#include "llm/tokenizer.h"

namespace dsv4::llm {

struct LocalOptions {
  bool thinking = false;  // false: the model answers directly
  Effort effort = Effort::kNormal;
  std::optional<Precision> precision;  // default: the model's own
  std::optional<int64_t> window;       // default: what the model was made for; more is refused
  int threads = 0;                     // 0: one per core
  // Where computed contexts are kept (SessionStore); nowhere when left out or when it cannot be
  // written.
  std::optional<std::filesystem::path> sessions;
};

// Opens DIR (config.json, tokenizer.json, safetensors) and starts an empty conversation with it. It
// and its forks share the model and one thread pool. Each may be used by a thread of its own: what
// they say at the same time is computed together, and is what it would be alone. Throws ModelError.
std::unique_ptr<Conversation> open_local(const std::filesystem::path& directory,
                                         const LocalOptions& options = {});

// A growing sequence of ids and the logits after it, as a conversation needs them. Session behind
// it in the program, arithmetic on ids in tests.
class TokenSequence {
 public:
  virtual ~TokenSequence() = default;
  // Held by a thread that appends again and again. What other threads do with forks at the same
  // time waits for it; it goes before anything else is waited for. May be null.
  virtual std::shared_ptr<void> speak() { return nullptr; }
  // As Session::append: false when stopped on the way, position() tells where.
  virtual bool append(std::span<const int32_t> ids, const PrefillProgress& progress,
                      std::stop_token stop) = 0;
  // As Session::append_sampled.
  virtual bool append_sampled(std::span<const int32_t> ids, std::stop_token stop) {
    return append(ids, {}, std::move(stop));
  }
  virtual std::span<const float> logits() const = 0;
  virtual int64_t position() const = 0;
  virtual int64_t bytes() const { return 0; }  // of the state behind the logits
  virtual std::unique_ptr<TokenSequence> fork() const = 0;
  // At position 0: goes as far along the ids as was kept by an earlier sequence, computing nothing.
  virtual void restore(std::span<const int32_t>) {}
  virtual void keep() {}
  // The ids from a position on.
  virtual std::vector<int32_t> ids(int64_t from) const = 0;
  // Names what the meaning of ids and states depends on.
  virtual std::string identity() const { return ""; }
  // Writes what came since the last save() or keep() of this sequence.
  virtual void save(const std::filesystem::path&) {}
  // Goes as far along all of the sequence's ids, of which it has the first, as was saved.
  virtual void load(const std::filesystem::path&, std::span<const int32_t>) {}
};

// What conversations with one model share.
struct LocalModel {
  LocalModel(Tokenizer tokens, std::string named, int64_t reads, int32_t end)
      : tokenizer(std::move(tokens)),
        table(tokenizer),
        name(std::move(named)),
        window(reads),
        end_id(end) {}

  Tokenizer tokenizer;
  TokenTable table;
  std::string name;
  int64_t window = 0;
  int32_t end_id = 0;  // ends the model's turn
};

// A model of this process as it is opened for conversations: what its directory holds, checked for
// the markers that turns are made of.
struct OpenedModel {
  std::shared_ptr<const Model> model;
  std::shared_ptr<const LocalModel> shared;
};

// window: default, what the model was made for; more is refused. Throws ModelError, and Error for
// the window.
OpenedModel open_for_conversations(const std::filesystem::path& directory,
                                   std::optional<int64_t> window);

// A conversation with a model of this process. Ids that were computed or sampled are never
// re-tokenised: what the model said stays in the context as the ids it sampled.
class LocalConversation : public Conversation {
 public:
  LocalConversation(std::shared_ptr<const LocalModel> model,
                    std::unique_ptr<TokenSequence> sequence, PromptBuilder prompt);

  // These throw Error when the context would exceed the window; it is as it was then.
  void system(std::string_view text, const std::vector<nlohmann::ordered_json>& tools) override;
  void user(std::string_view part) override;
  void tool_results(std::span<const std::string> results) override;

  bool prefill(const PrefillProgress& progress, std::stop_token cancel) override;
  void keep() override { sequence_->keep(); }
  // The object holds the ids that came since, how many of all were computed, and the usage.
  nlohmann::ordered_json save(const std::filesystem::path& directory) override;
  void resume(std::span<const nlohmann::ordered_json> saved,
              const std::filesystem::path& directory) override;
  // A window that fills up while the model speaks ends the turn as max_tokens does. The end marker
  // is in `raw` but is not streamed.
  Reply reply(const ReplyOptions& options) override;
  std::unique_ptr<Conversation> fork() const override;
  Usage usage() const override;
  int64_t window() const override { return model_->window; }
  std::string model_name() const override { return model_->name; }

 private:
  using Addition = std::function<std::vector<Segment>(PromptBuilder&)>;
  void add(const Addition& addition);
  bool compute(const PrefillProgress& progress, std::stop_token cancel);
  void restore();
  struct Draw;
  Reply draw(const ReplyOptions& options, Draw& state);
  Finish generate(const ReplyOptions& options, Draw& state, std::vector<Segment>& turn);
  std::optional<int32_t> next_id(const ReplyOptions& options, Draw& state);
  std::optional<int32_t> certain_id(Draw& state);
  int64_t context() const;
  void count(int64_t computed);

  std::shared_ptr<const LocalModel> model_;
  std::unique_ptr<TokenSequence> sequence_;
  PromptBuilder prompt_;
  std::vector<int32_t> pending_;  // in the context, not computed yet
  size_t pending_sampled_ = 0;    // so many of them, at the front, are no new prompt: sampled, or
                                  // computed before
  int64_t computed_before_ = 0;   // so many of them, at the front, by another process
  int64_t saved_ = 0;             // ids of the context that save() has handed out
  Usage usage_;
};

}  // namespace dsv4::llm
