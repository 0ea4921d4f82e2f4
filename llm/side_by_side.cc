#include "llm/side_by_side.h"

#include <algorithm>
#include <exception>

#include "llm/error.h"

namespace dsv4::llm {
namespace {

// Ids of a prompt that a thread computes while it is alone, before it looks for others.
constexpr size_t kAtOnce = 1024;

}  // namespace

SideBySide::SideBySide(std::shared_ptr<const Model> model, kernels::ThreadPool& pool)
    : batch_(std::move(model), pool) {}

SideBySide::Speaker::Speaker(SideBySide& all) : all_(all) {
  const std::lock_guard lock(all_.mutex_);
  ++all_.speakers_;
}

SideBySide::Speaker::~Speaker() {
  {
    const std::lock_guard lock(all_.mutex_);
    --all_.speakers_;
  }
  all_.changed_.notify_all();
}

bool SideBySide::append(Session& session, std::span<const int32_t> ids,
                        const Session::Progress& progress, std::stop_token stop) {
  Lock lock(mutex_);
  for (size_t done = 0; done < ids.size();) {
    if (stop.stop_requested()) return false;
    const auto rest = ids.subspan(done);
    if (speakers_ > 1) {
      done += static_cast<size_t>(append_together(lock, session, rest));
    } else {
      const int64_t before = session.position();
      const bool whole = session.append(rest.first(std::min(kAtOnce, rest.size())), {}, stop);
      done += static_cast<size_t>(session.position() - before);
      if (!whole) return false;
    }
    if (!progress) continue;
    lock.unlock();
    progress(static_cast<int64_t>(done), static_cast<int64_t>(ids.size()));
    lock.lock();
  }
  return true;
}

bool SideBySide::append_sampled(Session& session, std::span<const int32_t> ids,
                                std::stop_token stop) {
  Lock lock(mutex_);
  while (!ids.empty()) {
    if (speakers_ <= 1) return session.append_sampled(ids, std::move(stop));
    if (stop.stop_requested()) return false;
    ids = ids.subspan(static_cast<size_t>(append_together(lock, session, ids)));
  }
  return true;
}

int64_t SideBySide::append_together(Lock& lock, Session& session, std::span<const int32_t> ids) {
  Part mine{{&session, ids}, 0, nullptr};
  waiting_.push_back(&mine);
  while (mine.appended == 0 && !mine.error) {
    if (waiting_.size() >= speakers_) {
      run_pass();
    } else {
      changed_.wait(lock);
    }
  }
  if (mine.error) std::rethrow_exception(mine.error);
  return mine.appended;
}

// All who speak wait for it, so it may take the lock along.
void SideBySide::run_pass() {
  std::vector<BatchPart> parts;
  for (const Part* part : waiting_) parts.push_back(part->part);
  try {
    const std::vector<int64_t> appended = batch_.append(parts);
    for (size_t i = 0; i < waiting_.size(); ++i) waiting_[i]->appended = appended[i];
    ++passes_;
  } catch (const Error&) {  // nothing was computed: what one gets wrong is not the others' fault
    for (Part* part : waiting_) run_alone(*part);
  }
  waiting_.clear();
  changed_.notify_all();
}

void SideBySide::run_alone(Part& part) {
  try {
    part.appended = batch_.append({&part.part, 1}).front();
  } catch (const Error&) {
    part.error = std::current_exception();
  }
}

int64_t SideBySide::passes() const {
  const std::lock_guard lock(mutex_);
  return passes_;
}

}  // namespace dsv4::llm
