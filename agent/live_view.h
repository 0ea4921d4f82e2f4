#pragma once

#include <chrono>
#include <iosfwd>
#include <string>

#include "agent/observer.h"
#include "agent/view_words.h"

namespace dsv4::agent {

struct LiveViewOptions {
  bool terminal = false;  // progress is redrawn in place and text streams; else whole lines only
  bool colour = false;
};

// Terminal and colours of stderr: no colour with NO_COLOR, TERM=dumb or in a pipe.
LiveViewOptions live_view_options_for_stderr();

// What a person watches while a run goes on. Everything from the model, files and commands is made
// printable first.
class LiveView : public Observer {
 public:
  LiveView(std::ostream& out, LiveViewOptions options) : out_(out), options_(options) {}

  void on_note(const std::string& sentence) override;
  void on_copy(uint64_t done_bytes, uint64_t total_bytes) override;
  void on_first_tests(const std::string& command, const tools::TestReport& report) override;
  void on_context(const RepositoryContext& context, int64_t tokens) override;
  void on_prefill(int64_t done, int64_t total) override;
  void on_attempt(int number, const llm::Sampling& sampling) override;
  void on_beside(int number) override;
  void on_turn(int turn) override;
  void on_text(std::string_view piece) override;
  void on_taken_back(const llm::Reply& reply, const std::string& reason) override;
  void on_reply(const llm::Reply& reply, const llm::Usage& usage, int64_t window) override;
  void on_call(const llm::ToolCall& call) override;
  void on_outcome(const llm::ToolCall& call, const tools::Outcome& outcome) override;
  void on_plan(const std::vector<std::string>& items) override;
  void on_correction(const std::string& text) override;
  void on_attempt_end(const AttemptResult& result) override;
  void on_gate(const GateResult& result) override;

 private:
  enum class Tone { kPlain, kDim, kGood, kBad, kStrong };

  void line(Tone tone, const std::string& text);
  void progress(const std::string& label, double share, const std::string& detail);
  void end_progress();
  std::string toned(Tone tone, const std::string& text) const;

  std::ostream& out_;
  LiveViewOptions options_;
  std::chrono::steady_clock::time_point drawn_;
  ReadingPace pace_;
  bool in_progress_ = false;  // a progress line is on the screen
  bool in_text_ = false;      // streamed text has not ended its line
  SpokenText spoken_;
  int64_t taken_back_ = 0;  // turns since the last that stood
  std::string last_reason_;
};

}  // namespace dsv4::agent
