#include "tasks/live_table.h"

#include <cstdio>
#include <ostream>

#include "agent/duration.h"
#include "agent/printable.h"

namespace dsv4::tasks {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr size_t kMostRows = 16;

std::string name_of(const std::string& task, int sample, bool one) {
  const std::string name = agent::printable_line(task, 50);
  return one ? name : name + " #" + std::to_string(sample);
}

}  // namespace

std::string LiveTable::toned(bool good, const std::string& text) const {
  if (!options_.colour) return text;
  return (good ? "\x1b[32m" : "\x1b[31m") + text + "\x1b[0m";
}

std::string LiveTable::summary() const {
  const double share = done_ == 0 ? 0 : 100.0 * static_cast<double>(resolved_) / double(done_);
  char text[120];
  std::snprintf(text, sizeof(text), "%zu of %zu done, %zu resolved (%.1f %%)", done_, total_,
                resolved_, share);
  return text;
}

void LiveTable::had(const SampleResult& result) {
  const std::lock_guard lock(mutex_);
  ++done_;
  resolved_ += result.resolved ? 1 : 0;
}

void LiveTable::began(const std::string& task, int sample) {
  const std::lock_guard lock(mutex_);
  running_[{task, sample}] = Clock::now();
}

void LiveTable::put_off(const std::string& task, int sample, const std::string& why) {
  const std::lock_guard lock(mutex_);
  erase();
  running_.erase({task, sample});
  out_ << "later     " << name_of(task, sample, false) << "  " << why << std::endl;
  draw();
}

void LiveTable::ended(const SampleResult& result) {
  const std::lock_guard lock(mutex_);
  erase();
  running_.erase({result.task, result.sample});
  ++done_;
  resolved_ += result.resolved ? 1 : 0;
  const std::string word = result.resolved ? "resolved" : result.ran() ? "failed" : "error";
  out_ << toned(result.resolved, word) << std::string(10 - word.size(), ' ')
       << name_of(result.task, result.sample, false) << "  "
       << agent::describe_duration(milliseconds(static_cast<int64_t>(result.seconds * 1000)))
       << ", " << result.attempts << (result.attempts == 1 ? " attempt, " : " attempts, ")
       << result.turns << " turns";
  if (!result.resolved) out_ << ": " << agent::printable_line(result.reason, 120);
  out_ << "  [" << summary() << "]" << std::endl;
  draw();
}

void LiveTable::tick() {
  const std::lock_guard lock(mutex_);
  if (!options_.terminal) return;
  erase();
  draw();
}

void LiveTable::clear() {
  const std::lock_guard lock(mutex_);
  erase();
  out_ << std::flush;
}

void LiveTable::erase() {
  if (lines_ > 0) out_ << "\x1b[" << lines_ << "A\r\x1b[J";
  lines_ = 0;
}

void LiveTable::draw() {
  if (!options_.terminal) return;
  const auto now = Clock::now();
  size_t shown = 0;
  for (const auto& [key, since] : running_) {
    if (++shown > kMostRows) break;
    out_ << "  runs    " << name_of(key.first, key.second, false) << "  "
         << agent::describe_duration(std::chrono::duration_cast<milliseconds>(now - since)) << "\n";
  }
  out_ << "  " << running_.size() << " running, " << summary() << std::endl;
  lines_ = std::min(shown, kMostRows) + 1;
}

}  // namespace dsv4::tasks
