#pragma once

#include <chrono>
#include <functional>
#include <iosfwd>
#include <string>

#include "agent/github/sticky.h"
#include "agent/github/words.h"
#include "agent/observer.h"

namespace dsv4::agent::github {

// Keeps the one comment of an issue up to date while a run goes on, now and then; and keeps what
// the tests said. Where the token may not write comments, says so once in the log and never tries
// again.
class Progress : public Observer {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;

  // Less often than GitHub would mind, more often than people look.
  static constexpr std::chrono::seconds kPause{30};

  // `sticky` may be null: nothing is posted.
  Progress(const Event& event, Sticky* sticky, std::ostream& log,
           Clock clock = std::chrono::steady_clock::now)
      : event_(event), sticky_(sticky), log_(log), clock_(std::move(clock)) {}

  void on_first_tests(const std::string& command, const tools::TestReport& report) override;
  void on_context(const RepositoryContext& context, int64_t tokens) override;
  void on_attempt(int number, const llm::Sampling& sampling) override;
  void on_turn(int turn) override;
  void on_gate(const GateResult& result) override;

  const std::string& test_log() const { return test_log_; }

 private:
  void post();

  const Event& event_;
  Sticky* sticky_;
  std::ostream& log_;
  Clock clock_;
  std::optional<std::chrono::steady_clock::time_point> last_;
  ProgressWords words_;
  std::string test_log_;
};

}  // namespace dsv4::agent::github
