#include "tasks/compare.h"

#include <cmath>
#include <set>

#include "agent/printable.h"
#include "tasks/statistics.h"

namespace dsv4::tasks {
namespace {

using agent::to_utf8;
using nlohmann::ordered_json;

struct Side {
  size_t runs = 0;
  size_t resolved = 0;
  bool first = false;  // its first sample was resolved
  double share() const { return static_cast<double>(resolved) / static_cast<double>(runs); }
};

std::map<std::string, Side> sides(const std::vector<SampleResult>& results) {
  std::map<std::string, Side> all;
  for (const SampleResult& row : results) {
    Side& side = all[row.task];
    ++side.runs;
    side.resolved += row.resolved ? 1 : 0;
    if (row.sample == 1) side.first = row.resolved;
  }
  return all;
}

double tenths(double value) { return std::round(value * 10) / 10; }

double percent(double sum, size_t count) {
  return count == 0 ? 0 : tenths(100 * sum / static_cast<double>(count));
}

}  // namespace

ordered_json compare(const ReportInput& input) {
  const std::map<std::string, Side> here = sides(input.results);
  const std::map<std::string, Side> there = sides(input.compared->results);
  std::vector<double> differences;
  double sum_here = 0;
  double sum_there = 0;
  size_t only_here = 0;
  size_t only_there = 0;
  ordered_json changed = ordered_json::array();
  std::set<std::string> missing;
  for (const auto& [id, side] : here) {
    const auto found = there.find(id);
    if (found == there.end()) {
      missing.insert(id);
      continue;
    }
    const Side& other = found->second;
    sum_here += side.share();
    sum_there += other.share();
    differences.push_back(side.share() - other.share());
    if (side.first && !other.first) ++only_here;
    if (!side.first && other.first) ++only_there;
    if (side.share() != other.share()) {
      changed.push_back({{"id", to_utf8(id)},
                         {"here", tenths(100 * side.share())},
                         {"there", tenths(100 * other.share())}});
    }
  }
  const Interval difference = bootstrap_mean(differences);
  const auto suite = [](const std::map<std::string, std::string>& about) {
    const auto found = about.find("fingerprint");
    return found == about.end() ? std::string() : found->second;
  };
  return {{"with", to_utf8(input.compared->name)},
          {"same_suite", suite(input.about) == suite(input.compared->about)},
          {"tasks", differences.size()},
          {"only_in_this_run", missing.size()},
          {"here", percent(sum_here, differences.size())},
          {"there", percent(sum_there, differences.size())},
          {"difference", tenths(100 * difference.value)},
          {"low", tenths(100 * difference.low)},
          {"high", tenths(100 * difference.high)},
          {"resolved_only_here", only_here},
          {"resolved_only_there", only_there},
          {"mcnemar_p", std::round(mcnemar(only_here, only_there) * 10000) / 10000},
          {"changed", std::move(changed)}};
}

}  // namespace dsv4::tasks
