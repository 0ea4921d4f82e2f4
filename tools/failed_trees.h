#pragma once

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace dsv4::tools {

// States of the working copy whose tests have failed, each named by what differs in it from the
// first state (History::fingerprint). Toolboxes that begin from equal copies can share one.
class FailedTrees {
 public:
  void add(const std::string& fingerprint) {
    if (trees_.insert(fingerprint).second) order_.push_back(fingerprint);
  }
  bool has(const std::string& fingerprint) const { return trees_.contains(fingerprint); }

  // Those after the first `count`, in the order in which they were added.
  std::vector<std::string> after(size_t count) const {
    return {order_.begin() + static_cast<std::ptrdiff_t>(std::min(count, order_.size())),
            order_.end()};
  }

 private:
  std::set<std::string> trees_;
  std::vector<std::string> order_;
};

}  // namespace dsv4::tools
