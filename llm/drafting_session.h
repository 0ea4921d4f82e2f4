#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <vector>

#include "llm/draft_policy.h"
#include "llm/prompt_lookup.h"
#include "llm/session.h"

namespace dsv4::llm {

struct DraftOptions {
  bool enabled = true;
  int64_t window = INT64_MAX;  // no position from here on is drafted
};

struct DraftCounts {
  int64_t drafted = 0;   // ids computed before anybody asked for them
  int64_t accepted = 0;  // of them, those that were then appended
};

// A session that is fed one id at a time and computes some of the next ones before they come: what
// stood in the context after the same ids, or what the caller suggests. When they come their logits
// are there; when others come, the guesses leave no trace. Position, logits and everything else
// that can be seen are those of the session without drafts, whatever is guessed, so that any way of
// choosing the next id chooses the same ids.
class DraftingSession {
 public:
  explicit DraftingSession(std::unique_ptr<Session> session, DraftOptions options = {});

  // As Session's.
  bool append(std::span<const int32_t> ids, const Session::Progress& progress = {},
              std::stop_token stop = {});
  std::span<const float> logits() const;
  int64_t position() const { return session_->position() + taken_; }
  std::unique_ptr<DraftingSession> fork();

  // What will probably follow the next id that is appended. Forgotten then.
  void suggest(std::vector<int32_t> ids) { suggested_ = std::move(ids); }

  // Since this session, or the one it was forked from, began.
  DraftCounts counts() const { return counts_; }

  // The session itself, without guesses.
  Session& settled();

 private:
  int64_t take(std::span<const int32_t> ids);
  void step(int32_t id);
  std::vector<int32_t> guess(int32_t id);
  void catch_up();

  std::unique_ptr<Session> session_;
  DraftOptions options_;
  PromptLookup lookup_;
  DraftPolicy policy_;
  DraftCounts counts_;
  std::vector<int32_t> suggested_;
  // The open draft: an id that was appended and guesses; none when it is settled.
  std::vector<int32_t> open_;
  int64_t taken_ = 0;    // of them, appended by the caller so far
  int64_t matched_ = 0;  // before the guesses
  double seconds_ = 0;   // that computing them took
};

}  // namespace dsv4::llm
