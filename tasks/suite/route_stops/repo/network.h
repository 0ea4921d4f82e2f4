#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

// Stops and how long a bus takes from one to the next, which is the same in both directions.
class Network {
 public:
  void connect(const std::string& one, const std::string& other, int minutes);

  // Of the fastest route; nothing when there is none. Unknown stops have no way anywhere.
  std::optional<int> minutes(const std::string& from, const std::string& to) const;

 private:
  struct Reached {
    int minutes;
    std::string before;  // the stop before on the way; that of the start is itself
  };
  // Every stop that can be reached.
  std::map<std::string, Reached> reach(const std::string& from) const;

  std::map<std::string, std::map<std::string, int>> next_;
};
