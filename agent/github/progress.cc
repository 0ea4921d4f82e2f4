#include "agent/github/progress.h"

#include <ostream>

#include "agent/gate.h"
#include "agent/printable.h"

namespace dsv4::agent::github {
namespace {

constexpr size_t kLongestRun = 64 << 10;  // bytes kept of what one run of the tests said: its end

std::string end_of(const std::string& text) {
  if (text.size() <= kLongestRun) return text;
  return "...\n" + text.substr(text.size() - kLongestRun);
}

}  // namespace

void Progress::on_first_tests(const std::string& command, const tools::TestReport& report) {
  words_.test_command = command;
  words_.before = report.passed ? "passed" : "failed";
  test_log_ = "$ " + printable_line(command, 500) + "\n" + end_of(report.result.output) +
              "\n(before: " + words_.before + ")\n";
  post();
}

void Progress::on_context(const RepositoryContext& /*context*/, int64_t /*tokens*/) { post(); }

void Progress::on_attempt(int number, const llm::Sampling& /*sampling*/) {
  words_.attempt = number;
  words_.turn = 0;
  post();
}

void Progress::on_turn(int turn) {
  words_.turn = turn;
  post();
}

void Progress::on_gate(const GateResult& result) {
  words_.at_gate = true;
  test_log_ += "\n$ " + printable_line(words_.test_command, 500) + "\n";
  if (result.run) test_log_ += end_of(result.run->output);
  test_log_ += "\n(in a fresh copy with the patch: " + result.reason + ")\n";
  if (test_log_.size() > 3 * kLongestRun) test_log_ = end_of(test_log_);
  post();
}

void Progress::post() {
  if (sticky_ == nullptr || (last_ && clock_() - *last_ < kPause)) return;
  last_ = clock_();
  try {
    sticky_->show(progress_text(event_, words_));
  } catch (const ApiError& error) {
    if (!error.denied()) return;  // the next one may come through
    log_ << "progress is not posted: " << error.what() << '\n';
    sticky_ = nullptr;
  } catch (const http::Error&) {
  }
}

}  // namespace dsv4::agent::github
