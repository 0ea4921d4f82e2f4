#pragma once

#include <chrono>
#include <iosfwd>
#include <map>
#include <mutex>
#include <string>

#include "agent/live_view.h"
#include "tasks/results.h"

namespace dsv4::tasks {

// What a person watches while a suite runs: on a terminal a line for each run that has ended, and
// below them a table of those that go on, redrawn in place; in a pipe the lines alone. Threads may
// use it at the same time. All names are made printable.
class LiveTable {
 public:
  LiveTable(std::ostream& out, agent::LiveViewOptions options, size_t total)
      : out_(out), options_(options), total_(total) {}

  // What an earlier call has left.
  void had(const SampleResult& result);

  void began(const std::string& task, int sample);
  void put_off(const std::string& task, int sample, const std::string& why);
  void ended(const SampleResult& result);
  void tick();   // redraws the table, where there is one
  void clear();  // takes it off the screen

 private:
  using Key = std::pair<std::string, int>;

  void draw();
  void erase();
  std::string summary() const;
  std::string toned(bool good, const std::string& text) const;

  std::mutex mutex_;
  std::ostream& out_;
  agent::LiveViewOptions options_;
  size_t total_;
  size_t done_ = 0;
  size_t resolved_ = 0;
  size_t lines_ = 0;  // of the table, on the screen
  std::map<Key, std::chrono::steady_clock::time_point> running_;
};

}  // namespace dsv4::tasks
