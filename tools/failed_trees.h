#pragma once

#include <set>
#include <string>

namespace dsv4::tools {

// States of the working copy whose tests have failed, each named by what differs in it from the
// first state (History::fingerprint). Toolboxes that begin from equal copies can share one.
class FailedTrees {
 public:
  void add(const std::string& fingerprint) { trees_.insert(fingerprint); }
  bool has(const std::string& fingerprint) const { return trees_.contains(fingerprint); }

 private:
  std::set<std::string> trees_;
};

}  // namespace dsv4::tools
