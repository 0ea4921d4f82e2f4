#include "agent/reading.h"

#include <algorithm>

#include "agent/printable.h"
#include "agent/prompt.h"
#include "llm/error.h"

namespace dsv4::agent {
namespace {

using Clock = std::chrono::steady_clock;

// Of the window, what is kept free for the transcript: half, or this many tokens.
constexpr int64_t kTranscriptRoom = 128 << 10;

FitOptions fit_options(const llm::Conversation& conversation, const Reading& what) {
  FitOptions fit;
  fit.budget = conversation.window() - std::min(conversation.window() / 2, kTranscriptRoom);
  fit.issue = what.issue;
  fit.count_tokens = [&conversation](const std::string& text) {
    try {
      const auto probe = conversation.fork();
      const int64_t before = probe->usage().context;
      probe->user(text);
      return probe->usage().context - before;
    } catch (const llm::WindowError&) {
      // More than the window, and never more tokens than bytes.
      return std::max(static_cast<int64_t>(text.size()), conversation.window());
    }
  };
  fit.outline = [&toolbox = what.toolbox](const std::string& path) {
    const tools::Outcome outcome = toolbox.call("symbols", {{"path", path}});
    return outcome.error ? std::string() : to_utf8(outcome.text);
  };
  return fit;
}

void keep(llm::Conversation& conversation, Observer& observer) {
  if (const int64_t restored = conversation.usage().restored; restored > 0) {
    observer.on_note(std::to_string(restored) + " tokens were computed by an earlier run");
  }
  try {
    conversation.keep();
  } catch (const llm::Error& error) {
    observer.on_note(error.what());
  }
}

}  // namespace

ReadRepository read_repository(llm::Conversation& conversation, const Reading& what,
                               Observer& observer, std::stop_token cancel) {
  ReadRepository out;
  conversation.system(what.system, what.toolbox.schemas());
  out.context = read_context(what.listing, what.context);
  const int64_t tokens = fit_context(&out.context, fit_options(conversation, what));
  observer.on_context(out.context, tokens);
  const std::string text = repository_text(out.context);
  conversation.user(text);
  observer.on_prompt(text);
  const Clock::time_point begin = Clock::now();
  out.whole = conversation.prefill(
      [&observer](int64_t count, int64_t total) { observer.on_prefill(count, total); }, cancel);
  out.seconds = Clock::now() - begin;
  observer.on_usage(conversation.usage(), conversation.window());
  if (out.whole) keep(conversation, observer);
  return out;
}

}  // namespace dsv4::agent
