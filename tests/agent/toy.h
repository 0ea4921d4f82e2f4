#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "agent/fix.h"
#include "agent/fix_settings.h"
#include "agent/stop.h"
#include "llm/scripted_conversation.h"
#include "tests/agent/engine.h"
#include "tests/agent/scratch.h"

// What a scripted model says in one turn.
inline dsv4::llm::Reply calls(std::vector<std::pair<std::string, nlohmann::ordered_json>> list) {
  dsv4::llm::Reply reply;
  for (auto& [name, arguments] : list) reply.calls.push_back({name, std::move(arguments)});
  return reply;
}

inline dsv4::llm::Reply says(const std::string& text) {
  dsv4::llm::Reply reply;
  reply.content = text;
  return reply;
}

// How many turns the model has spoken in this context.
inline size_t turns_in(std::span<const dsv4::llm::RecordedSegment> context) {
  size_t turns = 0;
  int last = -1;
  for (const auto& segment : context) {
    if (segment.sampled && segment.append != last) ++turns;
    if (segment.sampled) last = segment.append;
  }
  return turns;
}

// The turns of every attempt; the last attempt and the last turn are repeated.
using Attempts = std::vector<std::vector<dsv4::llm::Reply>>;

// A small broken Python repository, and fix run on it with a scripted model, real tools and a real
// sandbox.
class Toy {
 public:
  static constexpr const char* kBroken =
      "def clamp(x, low, high):\n    if x < low:\n        return low\n    if x > high:\n"
      "        return low\n    return x\n";
  static constexpr const char* kFixed =
      "def clamp(x, low, high):\n    if x < low:\n        return low\n    if x > high:\n"
      "        return high\n    return x\n";
  static constexpr const char* kTest =
      "from calc import clamp\nassert clamp(5, 0, 3) == 3, clamp(5, 0, 3)\nprint('ok')\n";

  Toy() {
    scratch.write("repo/calc.py", kBroken);
    scratch.write("repo/test_calc.py", kTest);
    git_init(scratch / "repo");
    git_commit_all(scratch / "repo", "first");
    scratch.write("issue.md", "# clamp is wrong\n\nclamp(5, 0, 3) gives 0, not 3.\n");
    options.issue = (scratch / "issue.md").string();
    options.repo = (scratch / "repo").string();
    options.test = "python3 test_calc.py";
    options.run_dir = (scratch / "run").string();
    options.attempts = 2;
  }

  dsv4::agent::FixReport fix(const Attempts& attempts) {
    size_t attempt = 0;
    size_t turn = 0;
    return fix_with([&](std::span<const dsv4::llm::RecordedSegment> context) {
      const bool first = std::none_of(context.begin(), context.end(),
                                      [](const auto& segment) { return segment.sampled; });
      attempt += first ? 1 : 0;
      turn = first ? 0 : turn + 1;
      const auto& turns = attempts.at(std::min(attempt, attempts.size()) - 1);
      return turns.at(std::min(turn, turns.size() - 1));
    });
  }

  using Script =
      std::function<dsv4::llm::Reply(std::span<const dsv4::llm::RecordedSegment> context)>;

  dsv4::agent::FixReport fix_with(const Script& script) { return run(script, options, nullptr); }

  // The same with a script that threads may call at the same time.
  dsv4::agent::FixReport fix_by(const dsv4::llm::ScriptedConversation::Script& script) {
    return run_by(script, options, nullptr);
  }

  // Goes on with what another process has left in the directory.
  dsv4::agent::FixReport resume_with(const Script& script, const std::filesystem::path& directory) {
    const dsv4::agent::SavedRun saved = dsv4::agent::read_run(directory);
    return run(script, dsv4::agent::options_from(saved.run.at("options")), &saved);
  }

  dsv4::agent::FixReport run(const Script& script, const dsv4::agent::FixOptions& how,
                             const dsv4::agent::SavedRun* saved) {
    const auto remembers = [&](std::span<const dsv4::llm::RecordedSegment> context,
                               const dsv4::llm::ReplyOptions&) {
      segments.assign(context.begin(), context.end());
      return script(context);
    };
    return run_by(remembers, how, saved);
  }

  dsv4::agent::FixReport run_by(const dsv4::llm::ScriptedConversation::Script& script,
                                const dsv4::agent::FixOptions& how,
                                const dsv4::agent::SavedRun* saved) {
    const dsv4::agent::Stop stop(how.time_limit);
    std::istringstream no_input;
    dsv4::agent::Observer observer;
    const auto open = [&]() -> std::unique_ptr<dsv4::llm::Conversation> {
      return test_engine::open(script);
    };
    return dsv4::agent::run_fix(how, {no_input, open, observer, stop}, saved);
  }

  Scratch scratch;
  dsv4::agent::FixOptions options;
  std::vector<dsv4::llm::RecordedSegment> segments;  // the context of the last turn
};
