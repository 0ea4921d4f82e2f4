#include "sandbox/output.h"

#include <algorithm>

namespace dsv4::sandbox {

KeptOutput::KeptOutput(uint64_t limit) : limit_(limit), tail_limit_(limit - limit / 2) {}

void KeptOutput::add(std::string_view bytes) {
  total_ += bytes.size();
  const uint64_t head_room = limit_ / 2 - head_.size();
  const std::string_view first = bytes.substr(0, head_room);
  head_.append(first);
  bytes.remove_prefix(first.size());
  if (bytes.size() > tail_limit_) bytes.remove_prefix(bytes.size() - tail_limit_);
  const std::string_view growing = bytes.substr(0, tail_limit_ - tail_.size());
  tail_.append(growing);
  bytes.remove_prefix(growing.size());
  while (!bytes.empty()) {
    const std::string_view run = bytes.substr(0, tail_limit_ - tail_at_);
    std::copy(run.begin(), run.end(), tail_.begin() + static_cast<std::ptrdiff_t>(tail_at_));
    tail_at_ = (tail_at_ + run.size()) % tail_limit_;
    bytes.remove_prefix(run.size());
  }
}

std::string KeptOutput::text() const {
  std::string all = head_;
  if (cut()) all += "\n[... " + std::to_string(total_ - limit_) + " bytes cut ...]\n";
  all.append(tail_, tail_at_);
  all.append(tail_, 0, tail_at_);
  return all;
}

}  // namespace dsv4::sandbox
