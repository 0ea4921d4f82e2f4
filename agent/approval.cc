#include "agent/approval.h"

#include <algorithm>
#include <array>

#include "agent/view_words.h"

namespace dsv4::agent {
namespace {

constexpr std::array<std::string_view, 3> kNames = {"read-only", "ask", "auto"};

constexpr std::array<std::string_view, 7> kLooking = {"plan",    "list", "read",  "search",
                                                      "symbols", "diff", "finish"};
constexpr std::array<std::string_view, 2> kRunning = {"bash", "test"};

template <typename Names>
bool is_in(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::optional<Approval> parse_approval(std::string_view name) {
  const auto at = std::find(kNames.begin(), kNames.end(), name);
  if (at == kNames.end()) return std::nullopt;
  return static_cast<Approval>(at - kNames.begin());
}

std::string_view approval_name(Approval approval) { return kNames[static_cast<size_t>(approval)]; }

Reach reach_of(const llm::ToolCall& call, bool sandboxed) {
  if (is_in(kLooking, call.name)) return Reach::kLooks;
  return !sandboxed && is_in(kRunning, call.name) ? Reach::kOutside : Reach::kCopy;
}

std::optional<std::string> forbidden(const llm::ToolCall& call, Approval approval, bool sandboxed,
                                     const AskPerson& ask) {
  const Reach reach = reach_of(call, sandboxed);
  if (approval == Approval::kAuto || reach == Reach::kLooks) return std::nullopt;
  if (approval == Approval::kReadOnly) {
    return "the session is read-only: " + call.name +
           " may not be used. Say in words what should be done.";
  }
  if (reach == Reach::kCopy) return std::nullopt;
  if (ask && ask("Outside the sandbox: " + call.name + call_summary(call))) return std::nullopt;
  return "the person at the terminal did not allow this. Do it another way, or ask.";
}

}  // namespace dsv4::agent
