#include "agent/loop.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

#include "agent/loop_state.h"
#include "agent/printable.h"
#include "llm/call_guide.h"
#include "llm/error.h"

namespace dsv4::agent {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMostCorrections = 3;  // in a row
constexpr int kSameInARow = 3;
// Room for the end of a turn and a short answer: less is a full window.
constexpr int64_t kSmallestTurn = 64;

// Generated, at most, for turns that are tried out and taken back one after another.
constexpr int64_t kTriedTokens = 16384;

// No turn takes more than this part of the window.
constexpr int64_t kTurnShare = 8;

constexpr const char* kPointOut =
    "\nNote: this is the third time in a row that the same call gave the same result. Do something "
    "else; once more ends the attempt.";
constexpr const char* kNoCall =
    "Error: no tool was called, and the tests do not pass. Call a tool, or call finish to end.";
constexpr const char* kTooLong =
    "Error: the turn was cut because it was too long. Call the tools with fewer words.";

class Loop {
 public:
  Loop(llm::Conversation& conversation, tools::Toolbox& toolbox, const AttemptOptions& options,
       Observer& observer)
      : conversation_(conversation),
        toolbox_(toolbox),
        options_(options),
        observer_(observer),
        guide_(toolbox.schemas(),
               [&toolbox](const std::vector<std::string>& earlier, const std::string& tool,
                          const std::string& parameter, const nlohmann::ordered_json& arguments) {
                 return toolbox.choices(earlier, tool, parameter, arguments);
               }) {}

  AttemptResult run() {
    if (options_.resumed) go_on_from(*options_.resumed);
    for (bool saved = options_.resumed != nullptr; !end_; saved = false) {
      if (options_.saver && !saved) options_.saver->between_turns(state());
      turn();
    }
    result_.end = *end_;
    result_.tests_passed = last_test_.value_or(false);
    result_.for_the_gate = last_test_.value_or(result_.end == AttemptEnd::kFinished);
    return result_;
  }

 private:
  void turn() {
    if (options_.cancel.stop_requested()) return end(AttemptEnd::kCancelled);
    if (result_.turns >= options_.limits.turns) return end(AttemptEnd::kTurns);
    const int64_t left = options_.limits.tokens - generated_;
    if (left <= 0) return end(AttemptEnd::kTokens);
    // What was just added is in usage() only once it is computed.
    if (!prefill()) return end(AttemptEnd::kCancelled);
    if (options_.saver) options_.saver->computed();
    const int64_t room = conversation_.window() - conversation_.usage().context;
    if (room < kSmallestTurn) return end(AttemptEnd::kWindow);
    observer_.on_turn(++result_.turns);
    const int64_t longest = std::max(kSmallestTurn, conversation_.window() / kTurnShare);
    const llm::Reply reply = speak(std::min({left, room, longest, options_.limits.turn_tokens}));
    generated_ += reply.tokens;
    observer_.on_reply(reply, conversation_.usage(), conversation_.window());
    if (reply.finish == llm::Finish::kCancelled) return end(AttemptEnd::kCancelled);
    if (!reply.calls.empty()) {
      corrections_ = 0;
      return act(reply.calls);
    }
    if (reply.malformed) return correct(*reply.malformed);
    if (reply.finish == llm::Finish::kLength) return correct(kTooLong);
    if (options_.answers || last_test_.value_or(false)) return end(AttemptEnd::kStopped);
    correct(kNoCall);
  }

  bool prefill() {
    const Clock::time_point begin = Clock::now();
    const bool done = conversation_.prefill(
        [this](int64_t tokens, int64_t total) { observer_.on_prefill(tokens, total); },
        options_.cancel);
    result_.seconds.model += Clock::now() - begin;
    return done;
  }

  llm::Reply speak(int64_t max_tokens) {
    llm::ReplyOptions options;
    options.sampling = options_.sampling;
    // Every turn draws from its own stream: equal contexts in a row do not repeat one draw.
    options.sampling.seed += static_cast<uint64_t>(result_.turns) * 0x9e3779b97f4a7c15u;
    options.max_tokens = max_tokens;
    options.on_text = [this](std::string_view piece) { observer_.on_text(piece); };
    options.cancel = options_.cancel;
    options.guide = &guide_;
    if (trials_ < options_.trials) options.taken_back_tokens = kTriedTokens;
    options.refuse = [this](const llm::Reply& reply) { return leads_nowhere(reply); };
    options.on_taken_back = [this](const llm::Reply& reply, const std::string& reason) {
      observer_.on_taken_back(reply, reason);
    };
    const Clock::time_point begin = Clock::now();
    llm::Reply reply = conversation_.reply(options);
    result_.seconds.model += Clock::now() - begin;
    return reply;
  }

  // A turn that would only fail again is not worth its place in the context: the model is asked for
  // its next best one, which costs the tokens of one turn and no test run.
  std::optional<std::string> leads_nowhere(const llm::Reply& reply) {
    if (reply.finish == llm::Finish::kLength) return "it was too long";
    if (reply.malformed) return "its calls could not be read";
    tools::Calls calls;
    for (const llm::ToolCall& call : reply.calls) calls.emplace_back(call.name, call.arguments);
    if (auto reason = toolbox_.foresee(calls)) return reason;
    return try_out(reply.calls);
  }

  // Does a turn of edits and then the tests. When they fail and the turn may be taken back, it is
  // as if it had never been; else its results stand and act() uses them.
  std::optional<std::string> try_out(const std::vector<llm::ToolCall>& calls) {
    if (trials_ >= options_.trials || result_.turns + 1 >= options_.limits.turns)
      return std::nullopt;
    if (calls.size() < 2 || calls.back().name != "test") return std::nullopt;
    const bool edits = std::all_of(calls.begin(), calls.end() - 1,
                                   [](const auto& call) { return call.name == "edit"; });
    if (!edits) return std::nullopt;
    const Clock::time_point begin = Clock::now();
    std::vector<std::string> results;
    const size_t steps = toolbox_.steps();
    for (const llm::ToolCall& call : calls) {
      if (end_) break;
      tools::Outcome outcome;
      results.push_back(do_call(call, outcome));
    }
    result_.seconds.model -= Clock::now() - begin;  // speak() counts all of its own time
    if (end_ || last_test_.value_or(false)) {
      tried_ = std::move(results);
      return std::nullopt;
    }
    ++trials_;
    ++result_.turns;
    while (toolbox_.steps() > steps) {
      toolbox_.call("undo", nlohmann::ordered_json::object(), options_.cancel);
    }
    return "the tests fail with it";
  }

  void correct(const std::string& text) {
    if (corrections_ == kMostCorrections) return end(AttemptEnd::kUnreadable);
    ++corrections_;
    observer_.on_correction(text);
    add([&] { conversation_.user(text); });
  }

  void act(const std::vector<llm::ToolCall>& calls) {
    std::vector<std::string> results;
    std::string turn_signature;
    int most_repeats = 0;
    for (const llm::ToolCall& call : calls) {
      if (results.size() < tried_.size()) {
        results.push_back(tried_[results.size()]);
        continue;
      }
      if (end_) {  // a turn's later calls are not done once it ended the attempt
        results.emplace_back("Error: the work has ended.");
        continue;
      }
      tools::Outcome outcome;
      const std::string result = do_call(call, outcome);
      const std::string signature =
          call.name + '\0' +
          call.arguments.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) +
          '\0' + result;
      turn_signature += signature + '\0';
      most_repeats = std::max(most_repeats, same_call_.count(signature));
      results.push_back(result);
    }
    tried_.clear();
    most_repeats = std::max(most_repeats, same_turn_.count(turn_signature));
    if (!end_ && most_repeats > kSameInARow) end(AttemptEnd::kRepeating);
    if (end_ && !options_.answers) return;
    if (!end_ && most_repeats == kSameInARow) results.back() += kPointOut;
    add([&] { conversation_.tool_results(results); });
  }

  // Text that does not fit ends the attempt: it is no failure of the engine.
  void add(const std::function<void()>& addition) {
    try {
      addition();
    } catch (const llm::WindowError&) {
      if (!end_) end(AttemptEnd::kWindow);
    }
  }

  std::string do_call(const llm::ToolCall& call, tools::Outcome& outcome) {
    observer_.on_call(call);
    const auto forbidden = options_.forbid ? options_.forbid(call) : std::nullopt;
    const Clock::time_point begin = Clock::now();
    if (forbidden) {
      outcome = tools::Outcome{};
      outcome.text = "Error: " + *forbidden;
      outcome.error = true;
    } else {
      outcome = toolbox_.call(call.name, call.arguments, options_.cancel);
    }
    (outcome.test ? result_.seconds.tests : result_.seconds.tools) += Clock::now() - begin;
    ++result_.tool_calls;
    outcome.text = to_utf8(outcome.text);
    observer_.on_outcome(call, outcome);
    if (call.name == "plan" && !outcome.error) observer_.on_plan(toolbox_.plan());
    if (options_.cancel.stop_requested()) {
      end(AttemptEnd::kCancelled);
    } else if (outcome.finished) {
      end(AttemptEnd::kFinished);
    } else if (outcome.test) {
      last_test_ = outcome.test->passed;
    }
    return outcome.text;
  }

  void end(AttemptEnd reason) { end_ = reason; }

  LoopState state() const {
    return {result_, last_test_, generated_, corrections_, trials_, same_call_, same_turn_};
  }

  void go_on_from(const LoopState& state) {
    result_ = state.result;
    last_test_ = state.last_test;
    generated_ = state.generated;
    corrections_ = state.corrections;
    trials_ = state.trials;
    same_call_ = state.same_call;
    same_turn_ = state.same_turn;
  }

  llm::Conversation& conversation_;
  tools::Toolbox& toolbox_;
  const AttemptOptions& options_;
  Observer& observer_;
  llm::CallGuide guide_;
  AttemptResult result_;
  std::optional<AttemptEnd> end_;
  std::optional<bool> last_test_;
  int64_t generated_ = 0;
  int corrections_ = 0;
  int trials_ = 0;
  std::vector<std::string> tried_;  // results of the first calls of a turn that was tried out
  Repeats same_call_;
  Repeats same_turn_;
};

}  // namespace

std::string describe(AttemptEnd end) {
  switch (end) {
    case AttemptEnd::kFinished:
      return "the model finished";
    case AttemptEnd::kStopped:
      return "the model stopped calling tools";
    case AttemptEnd::kTurns:
      return "all turns were used";
    case AttemptEnd::kTokens:
      return "all tokens were used";
    case AttemptEnd::kWindow:
      return "the model's window is full";
    case AttemptEnd::kRepeating:
      return "the model repeated one call without a new result";
    case AttemptEnd::kUnreadable:
      return "the model's calls could not be read, after three corrections";
    case AttemptEnd::kCancelled:
      return "it was stopped";
  }
  return "";
}

Seconds& Seconds::operator+=(const Seconds& other) {
  model += other.model;
  tools += other.tools;
  tests += other.tests;
  return *this;
}

size_t result_limit(int64_t window) {
  return static_cast<size_t>(std::clamp<int64_t>(window, 2 << 10, 16 << 10));
}

AttemptResult run_attempt(llm::Conversation& conversation, tools::Toolbox& toolbox,
                          const AttemptOptions& options, Observer& observer) {
  return Loop(conversation, toolbox, options, observer).run();
}

}  // namespace dsv4::agent
