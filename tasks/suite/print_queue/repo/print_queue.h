#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <string>
#include <vector>

// Print jobs that wait. The highest priority is printed first; among equals, who came first.
class PrintQueue {
 public:
  void add(std::string document, int priority);

  // Takes the next document out of the queue; nothing when no job waits.
  std::optional<std::string> next();

  size_t waiting() const { return jobs_.size(); }

 private:
  struct Job {
    std::string document;
    int priority;
    uint64_t ticket;  // counts up
  };
  // Whether `left` is printed after `right`.
  struct Later {
    bool operator()(const Job& left, const Job& right) const;
  };

  std::priority_queue<Job, std::vector<Job>, Later> jobs_;
  uint64_t next_ticket_ = 0;
};
