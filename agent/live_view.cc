#include "agent/live_view.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ostream>

#include "agent/gate.h"
#include "agent/loop.h"
#include "agent/printable.h"
#include "agent/view_words.h"

namespace dsv4::agent {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kWidth = 100;
}  // namespace

LiveViewOptions live_view_options_for_stderr() {
  LiveViewOptions options;
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  options.terminal = ::isatty(STDERR_FILENO) == 1 && !dumb;
  options.colour = options.terminal && (no_colour == nullptr || no_colour[0] == '\0');
  return options;
}

std::string LiveView::toned(Tone tone, const std::string& text) const {
  if (!options_.colour || tone == Tone::kPlain) return text;
  const char* code = tone == Tone::kDim    ? "\x1b[2m"
                     : tone == Tone::kGood ? "\x1b[32m"
                     : tone == Tone::kBad  ? "\x1b[31m"
                                           : "\x1b[1m";
  return code + text + "\x1b[0m";
}

void LiveView::end_progress() {
  if (in_progress_) out_ << "\r\x1b[K";
  if (in_text_) out_ << '\n';
  in_progress_ = false;
  in_text_ = false;
}

void LiveView::line(Tone tone, const std::string& text) {
  end_progress();
  out_ << toned(tone, text) << std::endl;
}

void LiveView::progress(const std::string& label, double share, const std::string& detail) {
  if (!options_.terminal) return;
  const auto now = Clock::now();
  if (in_progress_ && share < 1 && now - drawn_ < std::chrono::milliseconds(50)) return;
  drawn_ = now;
  end_progress();
  out_ << label << ' ' << progress_bar(share, 30) << ' ' << detail << std::flush;
  in_progress_ = true;
}

void LiveView::on_note(const std::string& sentence) {
  line(Tone::kPlain, printable_line(sentence, 1000));
}

void LiveView::on_copy(uint64_t done_bytes, uint64_t total_bytes) {
  if (total_bytes < (64u << 20)) return;  // it is over before it could be read
  progress("copying", static_cast<double>(done_bytes) / static_cast<double>(total_bytes),
           byte_count(done_bytes) + " of " + byte_count(total_bytes));
}

void LiveView::on_first_tests(const std::string& command, const tools::TestReport& report) {
  line(Tone::kPlain, "tests: " + printable_line(command, kWidth));
  line(Tone::kDim, report.passed ? "  they pass: the model must first add a test that fails"
                                 : "  they fail: " + sandbox::describe(report.result));
}

void LiveView::on_context(const RepositoryContext& context, int64_t tokens) {
  const auto outlines = std::count_if(context.files.begin(), context.files.end(),
                                      [](const ContextFile& file) { return file.outline; });
  std::string text = "context: " + grouped(static_cast<int64_t>(context.files.size())) +
                     " files, " + grouped(tokens) + " tokens";
  if (outlines > 0) text += ", " + grouped(outlines) + " of them as outlines";
  for (const ContextFile& file : context.instructions) text += ", with " + file.path;
  if (!context.left_out.empty()) {
    text += ", " + grouped(static_cast<int64_t>(context.left_out.size())) +
            " files left out (listed in report.json)";
  }
  line(Tone::kPlain, text);
}

void LiveView::on_prefill(int64_t done, int64_t total) {
  const std::string detail = pace_.describe(done, total);
  progress("reading", total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1,
           detail);
  if (done < total) return;
  // A long read is worth a line that stays; short ones between turns are not.
  if (total >= 512) {
    line(Tone::kDim, "read " + detail);
  } else {
    end_progress();
  }
}

void LiveView::on_attempt(int number, const llm::Sampling& sampling) {
  char how[64] = "greedy";
  if (sampling.temperature > 0) {
    std::snprintf(how, sizeof how, "temperature %.2g, seed %llu", sampling.temperature,
                  static_cast<unsigned long long>(sampling.seed));
  }
  line(Tone::kStrong, "attempt " + std::to_string(number) + " (" + how + ")");
}

void LiveView::on_beside(int number) {
  line(Tone::kDim, "attempt " + std::to_string(number) + ":");
}

void LiveView::on_turn(int) { spoken_.clear(); }

void LiveView::on_text(std::string_view piece) {
  if (!options_.terminal) return;
  const std::string text = printable(spoken_.push(piece));
  if (text.empty()) return;
  if (in_progress_) end_progress();
  in_text_ = true;
  out_ << text << std::flush;
}

void LiveView::on_taken_back(const llm::Reply&, const std::string& reason) {
  ++taken_back_;
  last_reason_ = reason;
  end_progress();
  spoken_.clear();
}

void LiveView::on_reply(const llm::Reply& reply, const llm::Usage& usage, int64_t window) {
  if (!options_.terminal) {
    const size_t first = reply.content.find_first_not_of(" \r\n\t");
    if (first != std::string::npos) line(Tone::kPlain, printable(reply.content.substr(first)));
  }
  if (taken_back_ > 0) {
    line(Tone::kDim, "  took back " + grouped(taken_back_) +
                         (taken_back_ == 1 ? " turn" : " turns") + ", the last because " +
                         printable_line(last_reason_, kWidth));
    taken_back_ = 0;
  }
  char share[32];
  std::snprintf(
      share, sizeof share, "%.1f%%",
      window > 0 ? 100.0 * static_cast<double>(usage.context) / static_cast<double>(window) : 0.0);
  line(Tone::kDim, "  context " + grouped(usage.context) + "/" + grouped(window) + " (" + share +
                       "), " + grouped(reply.tokens) + " tokens generated");
}

void LiveView::on_call(const llm::ToolCall& call) {
  line(Tone::kPlain,
       "  " + printable_line(call.name, 40) + printable_line(call_summary(call), kWidth));
}

void LiveView::on_outcome(const llm::ToolCall&, const tools::Outcome& outcome) {
  const std::string first = outcome.text.substr(0, outcome.text.find('\n'));
  const bool bad = outcome.error || (outcome.test && !outcome.test->passed);
  const bool good = outcome.test && outcome.test->passed;
  line(bad ? Tone::kBad : good ? Tone::kGood : Tone::kDim, "    " + printable_line(first, kWidth));
}

void LiveView::on_plan(const std::vector<std::string>& items) {
  for (const std::string& item : items) line(Tone::kPlain, "    - " + printable_line(item, kWidth));
}

void LiveView::on_correction(const std::string& text) {
  line(Tone::kBad, "  corrected: " + printable_line(text, kWidth));
}

void LiveView::on_attempt_end(const AttemptResult& result) {
  line(Tone::kDim, "  " + describe(result.end));
}

void LiveView::on_gate(const GateResult& result) {
  line(result.passed ? Tone::kGood : Tone::kBad,
       std::string(result.passed ? "gate: " : "gate, not passed: ") +
           printable_line(result.reason, 500));
}

}  // namespace dsv4::agent
