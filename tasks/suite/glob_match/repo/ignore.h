#pragma once

#include <string>
#include <utility>
#include <vector>

#include "glob.h"

// Rules about which files to leave out; the last rule that matches decides, and one that begins
// with `!` takes a file in again.
class IgnoreRules {
 public:
  explicit IgnoreRules(std::vector<std::string> rules) : rules_(std::move(rules)) {}

  bool ignored(const std::string& name) const {
    bool result = false;
    for (const std::string& rule : rules_) {
      const bool take_in = !rule.empty() && rule.front() == '!';
      if (glob_match(take_in ? rule.substr(1) : rule, name)) result = !take_in;
    }
    return result;
  }

 private:
  std::vector<std::string> rules_;
};
