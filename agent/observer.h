#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/context.h"
#include "llm/conversation.h"
#include "tools/toolbox.h"

namespace dsv4::agent {

struct AttemptResult;
struct GateResult;

// What happens in a run, as it happens: the live view and the record implement this. Everything has
// a default that does nothing. Text may hold any bytes.
class Observer {
 public:
  virtual ~Observer() = default;

  virtual void on_note(const std::string& /*sentence*/) {}
  // A note on where a run is done, of which a session that does it in its own copy says nothing.
  virtual void on_place(const std::string& sentence) { on_note(sentence); }
  virtual void on_copy(uint64_t /*done_bytes*/, uint64_t /*total_bytes*/) {}
  virtual void on_first_tests(const std::string& /*command*/, const tools::TestReport& /*report*/) {
  }
  virtual void on_context(const RepositoryContext& /*context*/, int64_t /*tokens*/) {}
  virtual void on_prompt(std::string_view /*part*/) {}
  virtual void on_prefill(int64_t /*done*/, int64_t /*total*/) {}
  virtual void on_attempt(int /*number*/, const llm::Sampling& /*sampling*/) {}
  // What follows is of this attempt, of several that go on at the same time.
  virtual void on_beside(int /*number*/) {}
  virtual void on_turn(int /*turn*/) {}
  virtual void on_text(std::string_view /*piece*/) {}
  // A turn that was streamed does not stand: the model speaks again.
  virtual void on_taken_back(const llm::Reply& /*reply*/, const std::string& /*reason*/) {}
  virtual void on_reply(const llm::Reply& /*reply*/, const llm::Usage& /*usage*/,
                        int64_t /*window*/) {}
  // The context changed outside a turn: it was read, or gone back in.
  virtual void on_usage(const llm::Usage& /*usage*/, int64_t /*window*/) {}
  virtual void on_call(const llm::ToolCall& /*call*/) {}
  virtual void on_outcome(const llm::ToolCall& /*call*/, const tools::Outcome& /*outcome*/) {}
  virtual void on_plan(const std::vector<std::string>& /*items*/) {}
  virtual void on_correction(const std::string& /*text*/) {}
  virtual void on_attempt_end(const AttemptResult& /*result*/) {}
  virtual void on_gate(const GateResult& /*result*/) {}
};

}  // namespace dsv4::agent
