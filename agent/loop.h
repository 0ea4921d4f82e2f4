#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "agent/observer.h"
#include "llm/conversation.h"
#include "tools/toolbox.h"

namespace dsv4::agent {

class AttemptSaver;
struct LoopState;

// Every field is a hard limit of one attempt.
struct AttemptLimits {
  int turns = 64;
  int64_t tokens = 32768;      // generated in all turns together
  int64_t turn_tokens = 4096;  // generated in one turn
};

struct AttemptOptions {
  llm::Sampling sampling;
  AttemptLimits limits;
  // Turns that change files and test them are tried out, so many in a row at most: while the tests
  // fail, files and conversation go back to what they were, and the model speaks its next best
  // turn. Each counts as one of limits.turns.
  int trials = 0;
  std::stop_token cancel;
  // A person reads along and speaks next: a turn without calls is the answer and ends the attempt
  // (kStopped), and however a turn of calls ends, the conversation holds a result for each.
  bool answers = false;
  // Asked before every call: why it may not be done, a sentence for the model, or nothing when it
  // may. May be empty.
  std::function<std::optional<std::string>(const llm::ToolCall&)> forbid;
  // Told where another process could go on (loop_state.h); may be null.
  AttemptSaver* saver = nullptr;
  // Where an earlier process left the attempt, whose conversation and tools are as they were then;
  // null: it begins.
  const LoopState* resumed = nullptr;
};

enum class AttemptEnd {
  kFinished,    // the model called finish
  kStopped,     // it stopped calling tools
  kTurns,       // limits.turns
  kTokens,      // limits.tokens
  kWindow,      // the model's window is full
  kRepeating,   // the same call with the same result, again after it was pointed out
  kUnreadable,  // three corrections in a row did not help
  kCancelled,
};

// One sentence part for people: "the model finished", "all turns were used", ...
std::string describe(AttemptEnd end);

struct Seconds {
  std::chrono::duration<double> model{0};
  std::chrono::duration<double> tools{0};  // without tests
  std::chrono::duration<double> tests{0};

  Seconds& operator+=(const Seconds& other);
};

struct AttemptResult {
  AttemptEnd end = AttemptEnd::kStopped;
  int turns = 0;
  int tool_calls = 0;
  bool tests_passed = false;  // the last `test` passed
  // The gate should decide: the tests passed, or the model finished without having run them.
  bool for_the_gate = false;
  Seconds seconds;
};

// Bytes of one tool result the model is shown, by the size of its window: no single result takes
// more than about a quarter of it. Whoever makes a toolbox for this loop uses it.
size_t result_limit(int64_t window);

// Plan, act, observe: lets the model speak, does its calls, hands it the results, until it finishes
// or a limit ends it. The conversation holds system text, repository and task already; it and the
// toolbox belong to the caller. Throws what the two throw: llm::Error, sandbox::SetupError.
AttemptResult run_attempt(llm::Conversation& conversation, tools::Toolbox& toolbox,
                          const AttemptOptions& options, Observer& observer);

}  // namespace dsv4::agent
