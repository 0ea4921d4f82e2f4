#pragma once

#include <deque>
#include <string>

#include "agent/observer.h"
#include "agent/terminal/display.h"
#include "agent/terminal/markdown.h"
#include "agent/view_words.h"

namespace dsv4::agent::terminal {

// Turns what happens in a session into lines: the model's words as Markdown, one line for each tool
// call (its whole is kept for expand()), test results with the failures first.
class Transcript : public Observer {
 public:
  explicit Transcript(Display& display) : display_(display) {}

  void on_note(const std::string& sentence) override;
  void on_copy(uint64_t done_bytes, uint64_t total_bytes) override;
  void on_first_tests(const std::string& command, const tools::TestReport& report) override;
  void on_context(const RepositoryContext& context, int64_t tokens) override;
  void on_prefill(int64_t done, int64_t total) override;
  void on_attempt(int number, const llm::Sampling& sampling) override;
  void on_turn(int turn) override;
  void on_text(std::string_view piece) override;
  void on_taken_back(const llm::Reply& reply, const std::string& reason) override;
  void on_reply(const llm::Reply& reply, const llm::Usage& usage, int64_t window) override;
  void on_usage(const llm::Usage& usage, int64_t window) override;
  void on_call(const llm::ToolCall& call) override;
  void on_outcome(const llm::ToolCall& call, const tools::Outcome& outcome) override;
  void on_plan(const std::vector<std::string>& items) override;
  void on_correction(const std::string& text) override;
  void on_attempt_end(const AttemptResult& result) override;
  void on_gate(const GateResult& result) override;

  // Everything of the call with this number, or of the last one for 0; one line that says so when
  // it is not there.
  Lines expand(size_t number) const;

  // A message as it stays above, of which a long one shows its beginning.
  static Lines sent(const std::string& message);

  // The tests as a person asked for them.
  static Lines tests(const std::string& command, const tools::TestReport& report);

 private:
  struct Call {
    size_t number = 0;
    llm::ToolCall call;
    std::string result;
    bool error = false;
  };

  void end_text();
  void remember(const llm::ToolCall& call, const tools::Outcome& outcome);

  Display& display_;
  ReadingPace pace_;
  SpokenText spoken_;
  Markdown markdown_;
  size_t taken_back_ = 0;  // turns since the last that stood
  std::string last_reason_;
  size_t calls_ = 0;
  std::deque<Call> kept_;  // the last ones
  size_t kept_bytes_ = 0;
};

}  // namespace dsv4::agent::terminal
