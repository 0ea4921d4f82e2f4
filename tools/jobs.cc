#include "tools/jobs.h"

#include <algorithm>
#include <exception>
#include <fstream>
#include <mutex>
#include <thread>
#include <utility>

#include "tools/command_timer.h"
#include "tools/error.h"

namespace dsv4::tools {
namespace {

using Clock = std::chrono::steady_clock;

// Of a job's output, the newest part is kept at hand: at least half of this.
constexpr size_t kAtHand = 1 << 20;

std::string seconds_since(Clock::time_point begin) {
  const auto elapsed = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - begin);
  return std::to_string(elapsed.count()) + " s";
}

}  // namespace

class Jobs::Job {
 public:
  Job(int64_t number, const sandbox::Sandbox& box, sandbox::Command command,
      std::chrono::milliseconds timeout, Outputs::Growing whole)
      : number_(number),
        whole_(std::move(whole)),
        file_(whole_.file, std::ios::binary | std::ios::app),
        thread_([this, &box, command = std::move(command), timeout]() mutable {
          run(box, std::move(command), timeout);
        }) {}

  ~Job() { stop_.request_stop(); }

  void stop() { stop_.request_stop(); }

  bool running() const {
    const std::lock_guard lock(mutex_);
    return !ended_;
  }

  void wait(std::chrono::milliseconds patience, std::stop_token cancel) const {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::move(cancel), patience, [this] { return ended_; });
  }

  void wait() const {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_; });
  }

  // Each byte is shown once.
  std::string news() {
    const std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
    std::string text;
    if (shown_ < dropped_) {
      text = "[... " + std::to_string(dropped_ - shown_) + " bytes left out; the whole is in " +
             whole_.path + " ...]\n";
    } else if (shown_ > 0) {
      text = "[... " + std::to_string(shown_) + " bytes shown before; the whole is in " +
             whole_.path + " ...]\n";
    }
    text += output_.substr(std::max(shown_, dropped_) - dropped_);
    shown_ = dropped_ + output_.size();
    if (!text.empty() && !text.ends_with('\n')) text += '\n';
    return text + "(job " + std::to_string(number_) + ": " +
           (ended_ ? sandbox::describe(result_) : "running for " + seconds_since(begin_)) + ")" +
           (ended_ && !result_.ok() && !result_.denied.empty()
                ? "\n" + sandbox::describe_denied(result_)
                : "");
  }

 private:
  void run(const sandbox::Sandbox& box, sandbox::Command command,
           std::chrono::milliseconds timeout) {
    const CommandTimer timer(timeout, stop_);
    command.cancel = stop_.get_token();
    command.on_output = [this](std::string_view bytes) {
      const std::lock_guard lock(mutex_);
      take(bytes);
    };
    sandbox::Result result;
    std::exception_ptr failure;
    try {
      result = box.run(command);
    } catch (...) {
      failure = std::current_exception();
    }
    if (result.end == sandbox::End::kCancelled && timer.expired()) {
      result.end = sandbox::End::kTimedOut;
    }
    const std::lock_guard lock(mutex_);
    result.output.clear();  // output_ has it
    result_ = std::move(result);
    failure_ = failure;
    ended_ = true;
    changed_.notify_all();
  }

  void take(std::string_view bytes) {
    const size_t seen = dropped_ + output_.size();
    if (seen < Outputs::kKept) file_ << bytes.substr(0, Outputs::kKept - seen) << std::flush;
    output_ += bytes;
    if (output_.size() <= kAtHand) return;
    const size_t old = output_.size() - kAtHand / 2;
    output_.erase(0, old);
    dropped_ += old;
  }

  const int64_t number_;
  const Outputs::Growing whole_;
  std::ofstream file_;
  const Clock::time_point begin_ = Clock::now();
  std::stop_source stop_;
  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  bool ended_ = false;
  std::string output_;  // behind what was dropped
  size_t dropped_ = 0;
  size_t shown_ = 0;  // of both
  sandbox::Result result_;
  std::exception_ptr failure_;
  std::jthread thread_;  // last: it uses the others
};

Jobs::Jobs() = default;
Jobs::~Jobs() {
  for (const auto& job : jobs_) {
    if (job) job->stop();  // all at once, then each is waited for
  }
}

Jobs::Job& Jobs::find(int64_t number) const {
  if (number < 1 || number > static_cast<int64_t>(jobs_.size())) {
    throw ToolError("bash: there is no job " + std::to_string(number) +
                    (jobs_.empty() ? "; background=true starts one."
                                   : "; the last one is " + std::to_string(jobs_.size()) + "."));
  }
  const auto& job = jobs_[static_cast<size_t>(number - 1)];
  if (!job) {
    throw ToolError("bash: job " + std::to_string(number) +
                    " is gone, with its output: the program was stopped and has gone on since. "
                    "Start it again if it is needed.");
  }
  return *job;
}

std::vector<int64_t> Jobs::running() const {
  std::vector<int64_t> numbers;
  for (size_t k = 0; k < jobs_.size(); ++k) {
    if (jobs_[k] && jobs_[k]->running()) numbers.push_back(static_cast<int64_t>(k) + 1);
  }
  return numbers;
}

void Jobs::go_on_after(int64_t number) {
  jobs_.clear();
  jobs_.resize(static_cast<size_t>(std::max<int64_t>(0, number)));
}

void Jobs::check_room() const {
  const size_t now = running().size();
  if (now < kMostRunning) return;
  throw ToolError("bash: " + std::to_string(now) + " jobs are running; stop one first.");
}

int64_t Jobs::start(const sandbox::Sandbox& box, sandbox::Command command,
                    std::chrono::milliseconds timeout, Outputs::Growing whole) {
  const auto number = static_cast<int64_t>(jobs_.size()) + 1;
  jobs_.push_back(
      std::make_unique<Job>(number, box, std::move(command), timeout, std::move(whole)));
  return number;
}

std::string Jobs::status(int64_t number, std::chrono::milliseconds patience,
                         std::stop_token cancel) {
  Job& job = find(number);
  job.wait(patience, std::move(cancel));
  return job.news();
}

std::string Jobs::stop(int64_t number) {
  Job& job = find(number);
  job.stop();
  job.wait();
  return job.news();
}

}  // namespace dsv4::tools
