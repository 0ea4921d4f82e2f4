#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <stop_token>

namespace dsv4::tasks {

// Keeps what all jobs use together below a limit: when it is passed, the job that began last is
// stopped, to be run again when others have ended; one that is alone has simply too little.
class MemoryLimit {
 public:
  // A job that may run, from its construction, which waits until one more may, to its end.
  class Job {
   public:
    Job(MemoryLimit& limit, std::stop_token cancel);
    ~Job();
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    std::stop_token kill() const { return kill_.get_token(); }  // fires when it has to make room
    bool was_alone() const { return alone_; }                   // when it fired

   private:
    friend class MemoryLimit;
    MemoryLimit& limit_;
    std::stop_source kill_;
    bool alone_ = false;
  };

  // bytes: nothing for no limit.
  MemoryLimit(std::optional<uint64_t> bytes, int jobs)
      : bytes_(bytes), allowed_(jobs), most_(jobs) {}

  // Called from time to time while jobs run: measures this program and all that it started.
  void look();
  // The same with what is in use.
  void look_at(uint64_t in_use);

 private:
  std::optional<uint64_t> bytes_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::list<Job*> running_;  // in the order they began
  int allowed_;
  int most_;
};

}  // namespace dsv4::tasks
