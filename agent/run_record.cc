#include "agent/run_record.h"

#include <algorithm>

#include "agent/error.h"
#include "agent/event_log.h"
#include "agent/gate.h"
#include "agent/loop.h"
#include "agent/printable.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

double round_seconds(std::chrono::duration<double> time) {
  return static_cast<double>(static_cast<int64_t>(time.count() * 1000 + 0.5)) / 1000;
}

// Text as JSON takes it.
std::string text_of(std::string_view text) { return to_utf8(text); }

}  // namespace

RunRecord::RunRecord(const fs::path& directory, std::chrono::duration<double> elapsed)
    : begin_(std::chrono::steady_clock::now() -
             std::chrono::duration_cast<std::chrono::steady_clock::duration>(elapsed)),
      events_(directory / "events.jsonl", std::ios::app),
      transcript_(directory / "transcript.md", std::ios::app) {
  if (!events_ || !transcript_) {
    throw UsageError("cannot write in the run directory " + directory.string());
  }
}

void RunRecord::event(const std::string& name, const ordered_json& fields) {
  ordered_json line = {{"event", name},
                       {"seconds", round_seconds(std::chrono::steady_clock::now() - begin_)}};
  line.update(fields);
  const std::lock_guard lock(mutex_);
  events_ << line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) << std::endl;
}

void RunRecord::section(const std::string& title, const std::string& text) {
  transcript_ << "## " << title << "\n\n" << text << (text.empty() ? "" : "\n\n") << std::flush;
}

// A fence longer than any run of backquotes in the text, so that the text cannot close it.
void RunRecord::fenced(std::string_view text) {
  size_t longest = 2;
  size_t run = 0;
  for (const char c : text) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(longest + 1, '`');
  transcript_ << fence << '\n'
              << printable(text) << (text.empty() || text.back() != '\n' ? "\n" : "") << fence
              << "\n\n"
              << std::flush;
}

void RunRecord::on_note(const std::string& sentence) {
  event("note", {{"text", text_of(sentence)}});
  transcript_ << printable(sentence) << "\n\n" << std::flush;
}

void RunRecord::on_first_tests(const std::string& command, const tools::TestReport& report) {
  event("tests_before", {{"command", text_of(command)},
                         {"passed", report.passed},
                         {"result", sandbox::describe(report.result)},
                         {"output", text_of(report.result.output)},
                         {"text", text_of(report.text)}});
  section("Tests before the first turn", "");
  fenced("$ " + command + "\n" + report.text);
}

void RunRecord::on_context(const RepositoryContext& context, int64_t tokens) {
  ordered_json fields = {{"tokens", tokens}};
  fields.update(json_of(context));
  event("context", fields);
}

void RunRecord::on_prompt(std::string_view part) {
  event("prompt", {{"text", text_of(part)}});
  section("Prompt", "");
  fenced(part);
}

void RunRecord::on_attempt(int number, const llm::Sampling& sampling) {
  event("attempt",
        {{"number", number}, {"temperature", sampling.temperature}, {"seed", sampling.seed}});
  transcript_ << "# Attempt " << number << "\n\n" << std::flush;
}

void RunRecord::on_beside(int number) {
  event("beside", {{"attempt", number}});
  transcript_ << "# Attempt " << number << ", beside others\n\n" << std::flush;
}

void RunRecord::on_turn(int turn) { event("turn", {{"number", turn}}); }

void RunRecord::on_taken_back(const llm::Reply& reply, const std::string& reason) {
  event("taken_back",
        {{"text", text_of(reply.raw)}, {"tokens", reply.tokens}, {"reason", text_of(reason)}});
}

void RunRecord::on_reply(const llm::Reply& reply, const llm::Usage& usage, int64_t window) {
  event("reply", {{"text", text_of(reply.raw)},
                  {"tokens", reply.tokens},
                  {"context", usage.context},
                  {"window", window}});
  section("Model", "");
  fenced(reply.raw);
}

void RunRecord::on_outcome(const llm::ToolCall& call, const tools::Outcome& outcome) {
  ordered_json fields = {{"name", text_of(call.name)},
                         {"arguments", call.arguments},
                         {"result", text_of(outcome.text)},
                         {"error", outcome.error}};
  if (outcome.test) fields["passed"] = outcome.test->passed;
  event("call", fields);
  section("Result of " + printable_line(call.name, 40), "");
  fenced(outcome.text);
}

void RunRecord::on_correction(const std::string& text) {
  event("correction", {{"text", text_of(text)}});
  section("Correction", "");
  fenced(text);
}

void RunRecord::on_attempt_end(const AttemptResult& result) {
  event("attempt_end", {{"reason", describe(result.end)},
                        {"turns", result.turns},
                        {"tool_calls", result.tool_calls},
                        {"tests_passed", result.tests_passed}});
  section("End of the attempt", describe(result.end));
}

void RunRecord::on_gate(const GateResult& result) {
  ordered_json fields = {{"passed", result.passed}, {"reason", text_of(result.reason)}};
  if (result.run) {
    fields["result"] = sandbox::describe(*result.run);
    fields["output"] = text_of(result.run->output);
  }
  event("gate", fields);
  section("Gate", (result.passed ? "passed: " : "not passed: ") + printable(result.reason));
}

}  // namespace dsv4::agent
