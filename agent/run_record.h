#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "agent/observer.h"

namespace dsv4::agent {

// Writes down what happens: events.jsonl, one JSON object a line, flushed as it happens, and
// transcript.md for people.
class RunRecord : public Observer {
 public:
  // Goes on after events that took so long, where there are any.
  explicit RunRecord(const std::filesystem::path& directory,
                     std::chrono::duration<double> elapsed = {});

  void on_note(const std::string& sentence) override;
  void on_first_tests(const std::string& command, const tools::TestReport& report) override;
  void on_context(const RepositoryContext& context, int64_t tokens) override;
  void on_prompt(std::string_view part) override;
  void on_attempt(int number, const llm::Sampling& sampling) override;
  void on_beside(int number) override;
  void on_turn(int turn) override;
  void on_taken_back(const llm::Reply& reply, const std::string& reason) override;
  void on_reply(const llm::Reply& reply, const llm::Usage& usage, int64_t window) override;
  void on_outcome(const llm::ToolCall& call, const tools::Outcome& outcome) override;
  void on_correction(const std::string& text) override;
  void on_attempt_end(const AttemptResult& result) override;
  void on_gate(const GateResult& result) override;

  // Any other event; "event" and "seconds" (since the run began) are put in front. Threads may call
  // it at the same time as each other and as one that tells what happens.
  void event(const std::string& name, const nlohmann::ordered_json& fields);

 private:
  void section(const std::string& title, const std::string& text);
  void fenced(std::string_view text);

  std::chrono::steady_clock::time_point begin_;
  std::mutex mutex_;  // of events_
  std::ofstream events_;
  std::ofstream transcript_;
};

}  // namespace dsv4::agent
