#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

#include "llm/session_batch.h"

namespace dsv4::llm {

// Threads that each append to a session of their own, forks of one another as they may be: what
// they append at the same time is computed in common passes (SessionBatch), so that N of them take
// far less than N times as long. What a session holds afterwards is to the bit what it would hold
// alone.
class SideBySide {
 public:
  // The pool must outlive it.
  SideBySide(std::shared_ptr<const Model> model, kernels::ThreadPool& pool);
  SideBySide(const SideBySide&) = delete;
  SideBySide& operator=(const SideBySide&) = delete;

  // Held by a thread that appends again and again: a pass waits for all who hold one. Whoever goes
  // to do something else gives it up, or the others stand still.
  class Speaker {
   public:
    explicit Speaker(SideBySide& all);
    ~Speaker();
    Speaker(const Speaker&) = delete;
    Speaker& operator=(const Speaker&) = delete;

   private:
    SideBySide& all_;
  };

  // As Session::append and Session::append_sampled, for a thread that holds a Speaker.
  bool append(Session& session, std::span<const int32_t> ids, const Session::Progress& progress,
              std::stop_token stop);
  bool append_sampled(Session& session, std::span<const int32_t> ids, std::stop_token stop);

  // Does what else touches a session, or ends it, while no pass goes on: forks share memory.
  template <class Work>
  auto apart(Work&& work) {
    const std::lock_guard lock(mutex_);
    return std::forward<Work>(work)();
  }

  int64_t passes() const;  // common ones so far

 private:
  // A thread's part in the next pass.
  struct Part {
    BatchPart part;
    int64_t appended = 0;
    std::exception_ptr error;
  };
  using Lock = std::unique_lock<std::mutex>;
  int64_t append_together(Lock& lock, Session& session, std::span<const int32_t> ids);
  void run_pass();
  void run_alone(Part& part);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  SessionBatch batch_;
  size_t speakers_ = 0;
  std::vector<Part*> waiting_;
  int64_t passes_ = 0;
};

}  // namespace dsv4::llm
