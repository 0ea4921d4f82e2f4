#include "print_queue.h"

#include <utility>

bool PrintQueue::Later::operator()(const Job& left, const Job& right) const {
  if (left.priority != right.priority) return left.priority < right.priority;
  return left.ticket < right.ticket;
}

void PrintQueue::add(std::string document, int priority) {
  jobs_.push(Job{std::move(document), priority, next_ticket_++});
}

std::optional<std::string> PrintQueue::next() {
  if (jobs_.empty()) return std::nullopt;
  std::string document = jobs_.top().document;
  jobs_.pop();
  return document;
}
