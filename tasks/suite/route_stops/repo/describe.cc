#include "describe.h"

std::string describe(const Network& network, const std::string& from, const std::string& to) {
  const auto minutes = network.minutes(from, to);
  if (!minutes) return "no way from " + from + " to " + to;
  return from + " to " + to + ": " + std::to_string(*minutes) + " minutes";
}
