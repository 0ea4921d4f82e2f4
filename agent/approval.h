#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "llm/conversation.h"

namespace dsv4::agent {

// What the model may do in a session without being asked about.
enum class Approval {
  kReadOnly,  // tools that only look
  kAsk,       // whatever stays inside the working copy; what reaches outside is asked about
  kAuto,      // everything the sandbox allows
};

std::optional<Approval> parse_approval(std::string_view name);
std::string_view approval_name(Approval approval);  // "read-only", "ask", "auto"

// How far a call can reach at worst. A tool that is not known to only look changes something.
enum class Reach { kLooks, kCopy, kOutside };
Reach reach_of(const llm::ToolCall& call, bool sandboxed);

// Asks a person; false when the answer is no, or there is nobody to ask.
using AskPerson = std::function<bool(const std::string& question)>;

// Why the call may not be done, a sentence for the model; nothing when it may.
std::optional<std::string> forbidden(const llm::ToolCall& call, Approval approval, bool sandboxed,
                                     const AskPerson& ask);

}  // namespace dsv4::agent
