#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "llm/guided_draw.h"
#include "llm/sampler.h"
#include "llm/serve/engine.h"
#include "llm/serve/kept_contexts.h"
#include "llm/session.h"

namespace dsv4::llm::serve {

// One turn while the engine computes it: first its prompt is read, then the model speaks.
class RunningTurn {
 public:
  // The session holds the first ids of the prompt, and maybe of the prefix. The guide is kept for
  // the turn.
  RunningTurn(const LocalModel& model, TurnRequest request, std::unique_ptr<Session> session,
              KeptGuide guide);
  RunningTurn(const RunningTurn&) = delete;
  RunningTurn& operator=(const RunningTurn&) = delete;

  Session& session() { return *session_; }
  const TurnRequest& request() const { return request_; }
  const TurnUsage& usage() const { return usage_; }

  bool reading() const { return session_->position() < prompt_size(); }
  // The ids to be computed next: of a prompt, up to the next mark.
  std::span<const int32_t> due() const;
  // So many of them have been computed.
  void computed(int64_t count);
  // Whether the session has just reached a mark.
  bool at_mark() const;
  // Everything is computed: the model can be asked for the next id.
  bool ready() const { return !reading() && pending_.empty() && !end_; }

  // Says the next id, and those after it beside which there is no choice. When ready().
  void speak();
  void end(TurnEnd how, std::string error = "");

  bool ended() const { return end_.has_value(); }
  bool failed() const { return end_ == TurnEnd::kFailed; }
  // Tells the sink what came since the last time.
  void tell();

  // When its place among those who speak came last; for the engine.
  int64_t last_pass() const { return last_pass_; }
  void set_last_pass(int64_t stamp) { last_pass_ = stamp; }

  // All ids of the context, those that are not computed included.
  std::vector<int32_t> ids() const;
  // Remembers what was said for when the client sends it back.
  void remember(SaidReplies& said) const;
  std::unique_ptr<Session> take_session() { return std::move(session_); }
  KeptGuide take_guide() { return std::move(guide_); }

 private:
  int64_t prompt_size() const { return static_cast<int64_t>(request_.prompt.ids.size()); }
  bool asks() const { return request_.choices && !request_.choices->asked().empty(); }
  void take_prefix();
  int32_t sample();
  void take(int32_t id);
  SaidToken token(int32_t id, double log_probability) const;
  void show(const std::string& piece, bool markup);

  const LocalModel* model_;
  TurnRequest request_;
  std::unique_ptr<Session> session_;
  KeptGuide guide_;
  Sampler sampler_;
  GuidedDraw draw_;
  StreamDecoder decoder_;
  TurnText text_;
  std::vector<int32_t> said_;
  std::vector<int32_t> pending_;  // said, but not computed
  std::vector<float> logits_;     // kept between ids to spare allocations
  TurnUsage usage_;
  Delta delta_;
  int64_t last_pass_ = 0;
  bool told_begin_ = false;
  int64_t told_ = 0;  // tokens
  bool forced_end_ = false;
  std::optional<TurnEnd> end_;
  std::string error_;
};

}  // namespace dsv4::llm::serve
