#pragma once

#include <vector>

#include "agent/observer.h"

namespace dsv4::agent {

// Tells several observers, in order.
class Observers : public Observer {
 public:
  explicit Observers(std::vector<Observer*> all) : all_(std::move(all)) {}

  void on_note(const std::string& sentence) override {
    for (Observer* each : all_) each->on_note(sentence);
  }
  void on_place(const std::string& sentence) override {
    for (Observer* each : all_) each->on_place(sentence);
  }
  void on_copy(uint64_t done_bytes, uint64_t total_bytes) override {
    for (Observer* each : all_) each->on_copy(done_bytes, total_bytes);
  }
  void on_first_tests(const std::string& command, const tools::TestReport& report) override {
    for (Observer* each : all_) each->on_first_tests(command, report);
  }
  void on_context(const RepositoryContext& context, int64_t tokens) override {
    for (Observer* each : all_) each->on_context(context, tokens);
  }
  void on_prompt(std::string_view part) override {
    for (Observer* each : all_) each->on_prompt(part);
  }
  void on_prefill(int64_t done, int64_t total) override {
    for (Observer* each : all_) each->on_prefill(done, total);
  }
  void on_attempt(int number, const llm::Sampling& sampling) override {
    for (Observer* each : all_) each->on_attempt(number, sampling);
  }
  void on_beside(int number) override {
    for (Observer* each : all_) each->on_beside(number);
  }
  void on_turn(int turn) override {
    for (Observer* each : all_) each->on_turn(turn);
  }
  void on_text(std::string_view piece) override {
    for (Observer* each : all_) each->on_text(piece);
  }
  void on_taken_back(const llm::Reply& reply, const std::string& reason) override {
    for (Observer* each : all_) each->on_taken_back(reply, reason);
  }
  void on_reply(const llm::Reply& reply, const llm::Usage& usage, int64_t window) override {
    for (Observer* each : all_) each->on_reply(reply, usage, window);
  }
  void on_usage(const llm::Usage& usage, int64_t window) override {
    for (Observer* each : all_) each->on_usage(usage, window);
  }
  void on_call(const llm::ToolCall& call) override {
    for (Observer* each : all_) each->on_call(call);
  }
  void on_outcome(const llm::ToolCall& call, const tools::Outcome& outcome) override {
    for (Observer* each : all_) each->on_outcome(call, outcome);
  }
  void on_plan(const std::vector<std::string>& items) override {
    for (Observer* each : all_) each->on_plan(items);
  }
  void on_correction(const std::string& text) override {
    for (Observer* each : all_) each->on_correction(text);
  }
  void on_attempt_end(const AttemptResult& result) override {
    for (Observer* each : all_) each->on_attempt_end(result);
  }
  void on_gate(const GateResult& result) override {
    for (Observer* each : all_) each->on_gate(result);
  }

 private:
  std::vector<Observer*> all_;
};

}  // namespace dsv4::agent
