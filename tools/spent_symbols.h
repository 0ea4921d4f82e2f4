#pragma once

#include <map>
#include <string>
#include <utility>

namespace dsv4::tools {

// Definitions whose changes have failed the tests so often that trying others is worth more.
// Toolboxes that begin from equal copies can share one.
class SpentSymbols {
 public:
  void failed(const std::string& symbol) { ++failures_[symbol]; }
  bool spent(const std::string& symbol) const {
    const auto found = failures_.find(symbol);
    return found != failures_.end() && found->second >= kMany;
  }

  // What `later`, which went on from `before`, has counted since.
  void add(const SpentSymbols& later, const SpentSymbols& before) {
    for (const auto& [symbol, count] : later.failures_) {
      const auto known = before.failures_.find(symbol);
      failures_[symbol] += count - (known == before.failures_.end() ? 0 : known->second);
    }
  }

  // How often the changes of each have failed.
  const std::map<std::string, int>& failures() const { return failures_; }
  void go_on_from(std::map<std::string, int> failures) { failures_ = std::move(failures); }

 private:
  static constexpr int kMany = 8;
  std::map<std::string, int> failures_;
};

}  // namespace dsv4::tools
