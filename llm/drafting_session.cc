#include "llm/drafting_session.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace dsv4::llm {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

DraftingSession::DraftingSession(std::unique_ptr<Session> session, DraftOptions options)
    : session_(std::move(session)), options_(options) {}

bool DraftingSession::append(std::span<const int32_t> ids, const Session::Progress& progress,
                             std::stop_token stop) {
  const int64_t known = take(ids);
  const auto total = static_cast<int64_t>(ids.size());
  if (progress && known > 0) progress(known, total);
  ids = ids.subspan(static_cast<size_t>(known));
  if (ids.empty()) return true;
  if (stop.stop_requested()) return false;
  settled();
  if (ids.size() > 1 || !options_.enabled) {
    suggested_.clear();
    const auto rest = [&](int64_t done, int64_t) { progress(known + done, total); };
    return session_->append(ids, progress ? Session::Progress(rest) : Session::Progress(),
                            std::move(stop));
  }
  step(ids.front());
  if (progress) progress(total, total);
  return true;
}

std::span<const float> DraftingSession::logits() const {
  return taken_ > 0 ? session_->drafted_logits(taken_ - 1) : session_->logits();
}

// Ids that were guessed; returns how many.
int64_t DraftingSession::take(std::span<const int32_t> ids) {
  int64_t n = 0;
  for (const int32_t id : ids) {
    if (taken_ >= static_cast<int64_t>(open_.size())) break;
    if (open_[static_cast<size_t>(taken_)] != id) break;
    ++taken_;
    ++counts_.accepted;
    ++n;
  }
  if (n > 0) suggested_.clear();
  return n;
}

Session& DraftingSession::settled() {
  if (open_.empty()) return *session_;
  const auto start = Clock::now();
  session_->settle(taken_);
  seconds_ += seconds_since(start);
  policy_.passed(matched_, static_cast<int64_t>(open_.size()) - 1, taken_ - 1, seconds_);
  open_.clear();
  taken_ = 0;
  return *session_;
}

std::unique_ptr<DraftingSession> DraftingSession::fork() {
  auto copy = std::make_unique<DraftingSession>(settled().fork(), options_);
  copy->lookup_ = lookup_;
  copy->policy_ = policy_;
  copy->counts_ = counts_;
  return copy;
}

// Computes one id, and guesses behind it. Nothing is open.
void DraftingSession::step(int32_t id) {
  const auto start = Clock::now();
  std::vector<int32_t> ids = guess(id);
  if (ids.size() == 1) {
    session_->append(ids);
    policy_.passed(0, 0, 0, seconds_since(start));
    return;
  }
  ids.resize(static_cast<size_t>(session_->draft(ids)));
  open_ = std::move(ids);
  taken_ = 1;
  counts_.drafted += static_cast<int64_t>(open_.size()) - 1;
  seconds_ = seconds_since(start);
}

// The id and what may follow it.
std::vector<int32_t> DraftingSession::guess(int32_t id) {
  std::vector<int32_t> ids{id};
  std::vector<int32_t> next = std::exchange(suggested_, {});
  catch_up();
  lookup_.append(ids);
  if (next.empty()) {
    PromptLookup::Proposal found = lookup_.propose(DraftPolicy::kMost);
    next = std::move(found.ids);
    matched_ = found.matched;
  } else {
    matched_ = DraftPolicy::kForced;
  }
  if (next.empty()) return ids;
  const int64_t room = std::max<int64_t>(0, options_.window - session_->position() - 1);
  const int64_t n = std::min({policy_.length(matched_), room, static_cast<int64_t>(next.size())});
  ids.insert(ids.end(), next.begin(), next.begin() + n);
  return ids;
}

// The ids that the session has and the look-up has not.
void DraftingSession::catch_up() {
  if (lookup_.size() < session_->position()) lookup_.append(session_->ids(lookup_.size()));
}

}  // namespace dsv4::llm
