#include <array>

#include "kernels/parallel/thread_pool.h"
#include "llm/error.h"
#include "llm/local_conversation.h"
#include "llm/session.h"
#include "llm/session_store.h"
#include "llm/session_trail.h"
#include "llm/side_by_side.h"

namespace dsv4::llm {
namespace {

// What the sequences of one model share.
struct Engine {
  Engine(std::shared_ptr<const Model> model, int threads) : pool(threads), together(model, pool) {}

  kernels::ThreadPool pool;
  SideBySide together;
  std::shared_ptr<SessionStore> store;  // null: nothing is kept
};

class SessionSequence : public TokenSequence {
 public:
  SessionSequence(std::shared_ptr<Engine> engine, std::unique_ptr<Session> session)
      : engine_(std::move(engine)), session_(std::move(session)) {}
  ~SessionSequence() override {
    engine_->together.apart([this] { session_.reset(); });
  }

  std::shared_ptr<void> speak() override {
    return std::make_shared<SideBySide::Speaker>(engine_->together);
  }
  bool append(std::span<const int32_t> ids, const PrefillProgress& progress,
              std::stop_token stop) override {
    return engine_->together.append(*session_, ids, progress, std::move(stop));
  }
  bool append_sampled(std::span<const int32_t> ids, std::stop_token stop) override {
    return engine_->together.append_sampled(*session_, ids, std::move(stop));
  }
  std::span<const float> logits() const override { return session_->logits(); }
  int64_t position() const override { return session_->position(); }
  int64_t bytes() const override { return session_->state_bytes(); }
  std::unique_ptr<TokenSequence> fork() const override {
    auto copy = std::make_unique<SessionSequence>(
        engine_, engine_->together.apart([this] { return session_->fork(); }));
    copy->saved_ = saved_;
    return copy;
  }
  void restore(std::span<const int32_t> ids) override {
    if (!engine_->store) return;
    engine_->together.apart([&] { engine_->store->restore(*session_, ids); });
  }
  void keep() override {
    if (!engine_->store) return;
    engine_->together.apart([this] {
      engine_->store->save(*session_);
      saved_ = SessionTrail::mark(*session_);
    });
  }
  std::vector<int32_t> ids(int64_t from) const override { return session_->ids(from); }
  std::string identity() const override { return to_hex(session_->model().fingerprint()); }
  void save(const std::filesystem::path& directory) override {
    engine_->together.apart([&] { saved_ = SessionTrail(directory).save(*session_, saved_); });
  }
  void load(const std::filesystem::path& directory, std::span<const int32_t> ids) override {
    engine_->together.apart([&] {
      SessionTrail(directory).load(*session_, ids);
      saved_ = SessionTrail::mark(*session_);
    });
  }

 private:
  std::shared_ptr<Engine> engine_;  // outlives the session
  std::unique_ptr<Session> session_;
  SessionTrail::Mark saved_;  // where the next save() begins
};

// The markers without which no turn can begin or end.
constexpr std::array<std::string_view, 6> kNeeded = {marker::kBegin, marker::kEnd,
                                                     marker::kUser,  marker::kAssistant,
                                                     marker::kThink, marker::kEndThink};

void check_vocabulary(const Tokenizer& tokenizer, const Config& config,
                      const std::filesystem::path& directory) {
  const std::string file = (directory / "tokenizer.json").string();
  for (const std::string_view needed : kNeeded) {
    if (!tokenizer.added_token(needed)) {
      throw ModelError(file + ": the marker " + std::string(needed) +
                       " is not among its added tokens; this is not a DeepSeek-V4 tokenizer");
    }
  }
  if (tokenizer.size() > config.vocab_size) {
    throw ModelError(file + ": it has ids up to " + std::to_string(tokenizer.size() - 1) +
                     ", but config.json says vocab_size " + std::to_string(config.vocab_size));
  }
}

int64_t window_of(const Config& config, std::optional<int64_t> window) {
  const int64_t made_for = config.max_position_embeddings;
  if (!window) return made_for;
  if (*window < 1 || *window > made_for) {
    throw Error("the window must be 1 to " + std::to_string(made_for) +
                " tokens for this model, not " + std::to_string(*window));
  }
  return *window;
}

// Null where nothing can be kept: that costs time later, but is no reason to stop.
std::shared_ptr<SessionStore> open_store(const LocalOptions& options) {
  if (!options.sessions) return nullptr;
  try {
    return std::make_shared<SessionStore>(StoreOptions{*options.sessions});
  } catch (const Error&) {
    return nullptr;
  }
}

}  // namespace

OpenedModel open_for_conversations(const std::filesystem::path& directory,
                                   std::optional<int64_t> window) {
  Tokenizer tokenizer = Tokenizer::load(directory);
  std::shared_ptr<const Model> model = Model::open(directory);
  check_vocabulary(tokenizer, model->config(), directory);
  const int32_t end = *tokenizer.added_token(marker::kEnd);
  auto shared = std::make_shared<const LocalModel>(
      LocalModel{std::move(tokenizer), model->name(), window_of(model->config(), window), end});
  return {std::move(model), std::move(shared)};
}

std::unique_ptr<Conversation> open_local(const std::filesystem::path& directory,
                                         const LocalOptions& options) {
  const OpenedModel opened = open_for_conversations(directory, options.window);
  auto engine = std::make_shared<Engine>(opened.model, options.threads);
  engine->store = open_store(options);
  SessionOptions session_options;
  session_options.precision = options.precision;
  auto session = std::make_unique<Session>(opened.model, engine->pool, session_options);
  return std::make_unique<LocalConversation>(
      opened.shared, std::make_unique<SessionSequence>(std::move(engine), std::move(session)),
      PromptBuilder(options.thinking, options.effort));
}

}  // namespace dsv4::llm
