#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "agent/gate.h"
#include "agent/loop.h"
#include "agent/observer.h"

namespace dsv4::agent::terminal {

// Tells an observer that lives in another thread: `post` runs a function there, in order. What an
// observer of a terminal does not look at (prompts, the text of the repository) is not carried.
class PostedObserver : public Observer {
 public:
  using Post = std::function<void(std::function<void()>)>;
  PostedObserver(Observer& to, Post post) : to_(to), post_(std::move(post)) {}

  void on_note(const std::string& sentence) override {
    post_([&to = to_, sentence] { to.on_note(sentence); });
  }
  void on_copy(uint64_t done, uint64_t total) override {
    post_([&to = to_, done, total] { to.on_copy(done, total); });
  }
  void on_first_tests(const std::string& command, const tools::TestReport& report) override {
    post_([&to = to_, command, report] { to.on_first_tests(command, report); });
  }
  void on_context(const RepositoryContext& context, int64_t tokens) override {
    RepositoryContext paths;
    for (const ContextFile& file : context.files) {
      paths.files.push_back({file.path, "", file.outline});
    }
    paths.left_out = context.left_out;
    post_([&to = to_, paths = std::move(paths), tokens] { to.on_context(paths, tokens); });
  }
  void on_prefill(int64_t done, int64_t total) override {
    post_([&to = to_, done, total] { to.on_prefill(done, total); });
  }
  void on_attempt(int number, const llm::Sampling& sampling) override {
    post_([&to = to_, number, sampling] { to.on_attempt(number, sampling); });
  }
  void on_turn(int turn) override {
    post_([&to = to_, turn] { to.on_turn(turn); });
  }
  void on_text(std::string_view piece) override {
    post_([&to = to_, piece = std::string(piece)] { to.on_text(piece); });
  }
  void on_taken_back(const llm::Reply& reply, const std::string& reason) override {
    post_([&to = to_, reply, reason] { to.on_taken_back(reply, reason); });
  }
  void on_reply(const llm::Reply& reply, const llm::Usage& usage, int64_t window) override {
    post_([&to = to_, reply, usage, window] { to.on_reply(reply, usage, window); });
  }
  void on_usage(const llm::Usage& usage, int64_t window) override {
    post_([&to = to_, usage, window] { to.on_usage(usage, window); });
  }
  void on_call(const llm::ToolCall& call) override {
    post_([&to = to_, call] { to.on_call(call); });
  }
  void on_outcome(const llm::ToolCall& call, const tools::Outcome& outcome) override {
    post_([&to = to_, call, outcome] { to.on_outcome(call, outcome); });
  }
  void on_plan(const std::vector<std::string>& items) override {
    post_([&to = to_, items] { to.on_plan(items); });
  }
  void on_correction(const std::string& text) override {
    post_([&to = to_, text] { to.on_correction(text); });
  }
  void on_attempt_end(const AttemptResult& result) override {
    post_([&to = to_, result] { to.on_attempt_end(result); });
  }
  void on_gate(const GateResult& result) override {
    post_([&to = to_, result] { to.on_gate(result); });
  }

 private:
  Observer& to_;
  Post post_;
};

}  // namespace dsv4::agent::terminal
