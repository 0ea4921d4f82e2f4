#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "llm/argument_places.h"
#include "llm/local_conversation.h"
#include "llm/serve/chat_prompt.h"
#include "llm/serve/said_replies.h"
#include "llm/serve/turn_text.h"

namespace dsv4::llm::serve {

struct EngineOptions {
  int threads = 0;  // 0: one per core
  std::optional<Precision> precision;
  int most_running = 32;                  // turns that are computed at the same time
  int64_t kept_bytes = int64_t{1} << 30;  // of computed contexts that nobody is using
  bool draft = true;                      // whether a turn that is alone guesses ahead
};

// Tokens of one turn.
struct TurnUsage {
  int64_t prompt = 0;
  int64_t cached = 0;  // of the prompt: computed before, for this client or another
  int64_t generated = 0;
  int64_t reasoning = 0;  // of those, roughly: until the first text after the thoughts
};

enum class TurnEnd {
  kStop,       // the model ended its turn, or said a text to stop at
  kCalls,      // the same, and it calls tools
  kLength,     // the tokens or the window ran out
  kAsks,       // it cannot go on before the choices of an argument are told
  kCancelled,  // its stop token fired
  kFailed,     // the engine could not go on
};

// Hears about one turn, in the engine's thread: nothing here may wait.
class TurnSink {
 public:
  virtual ~TurnSink() = default;
  // It is being computed; prompt and cached are known.
  virtual void begun(const TurnUsage& usage) = 0;
  // Tokens have come; what they show may be empty.
  virtual void more(Delta delta, const TurnUsage& usage) = 0;
  // Last of all. error: a sentence, where it failed.
  virtual void ended(TurnEnd end, const TurnUsage& usage, const std::string& error) = 0;
  // Before ended(kAsks): the arguments whose choices are to be told.
  virtual void asks(const std::vector<ArgumentPlace>& /*places*/) {}
};

// What is asked of the engine.
struct TurnRequest {
  Prompt prompt;  // at least one id, fewer than the window holds
  Sampling sampling;
  int64_t max_tokens = 0;
  std::vector<std::string> stop;
  bool thinking = false;
  bool remember = false;                      // a chat's turn: a client will send it back as text
  std::vector<nlohmann::ordered_json> tools;  // that it may call, as guide_schemas() has them
  bool one_call = false;
  std::string beginning;        // markup that the turn begins with, whatever the model would say
  bool endless = false;         // the model may not end its turn itself
  std::vector<int32_t> prefix;  // the turn's first tokens, in place of `beginning`
  // Told for arguments of calls. A turn that comes to one for which nothing is told ends there, as
  // kAsks; without it every text may be a value.
  std::optional<ToldChoices> choices;
  std::optional<size_t> top_tokens;  // the tokens are told after the prefix, each with so many
  std::stop_token cancel;
  std::shared_ptr<TurnSink> sink;
};

// How busy it is, and what it has done.
struct EngineState {
  int64_t waiting = 0, running = 0;
  int64_t kept = 0;        // contexts
  int64_t bytes = 0;       // of all contexts, kept or in use, shared pages counted once
  int64_t passes = 0;      // over the network
  int64_t passed_ids = 0;  // computed in them
};

// One model for many clients. Turns that run at the same time are computed in common passes, a few
// ids of a long prompt at a time, so that nobody waits long for another's prompt. Every context
// that was computed is kept, while there is room, and a prompt that begins with one goes on from
// there. What a turn says does not depend on the others, nor on what was kept.
class Engine {
 public:
  // Starts its thread.
  Engine(OpenedModel model, const EngineOptions& options);
  // Cancels what runs or waits.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // The turn begins when there is room. Its sink hears of it until the end.
  void submit(TurnRequest request);

  // Called in the engine's thread when sinks have been told something; for a caller that collects.
  void on_told(std::function<void()> told);

  const LocalModel& model() const;
  int64_t vocabulary() const;
  SaidReplies& said();
  EngineState state() const;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace dsv4::llm::serve
