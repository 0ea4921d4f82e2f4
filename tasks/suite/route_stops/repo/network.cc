#include "network.h"

#include <algorithm>
#include <set>
#include <utility>

void Network::connect(const std::string& one, const std::string& other, int minutes) {
  next_[one][other] = minutes;
  next_[other][one] = minutes;
}

// Dijkstra's algorithm.
std::map<std::string, Network::Reached> Network::reach(const std::string& from) const {
  std::map<std::string, Reached> reached;
  if (next_.count(from) == 0) return reached;
  std::set<std::pair<int, std::string>> open = {{0, from}};
  reached[from] = {0, from};
  while (!open.empty()) {
    const auto [minutes, stop] = *open.begin();
    open.erase(open.begin());
    for (const auto& [neighbour, distance] : next_.at(stop)) {
      const int total = minutes + distance;
      const auto known = reached.find(neighbour);
      if (known != reached.end() && known->second.minutes <= total) continue;
      if (known != reached.end()) open.erase({known->second.minutes, neighbour});
      reached[neighbour] = {total, stop};
      open.insert({total, neighbour});
    }
  }
  return reached;
}

std::optional<int> Network::minutes(const std::string& from, const std::string& to) const {
  const auto reached = reach(from);
  const auto found = reached.find(to);
  if (found == reached.end()) return std::nullopt;
  return found->second.minutes;
}
