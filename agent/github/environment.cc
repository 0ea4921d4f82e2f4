#include "agent/github/environment.h"

#include <stdlib.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "agent/error.h"

namespace dsv4::agent::github {

std::optional<std::string> Environment::find(std::string_view name) const {
  const auto found = variables_.find(name);
  if (found == variables_.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

std::string Environment::required(std::string_view name) const {
  const auto found = find(name);
  if (found) return *found;
  throw UsageError(
      "the variable " + std::string(name) +
      " is not set: `dsv4-agent github` runs in a job of GitHub Actions, which sets it");
}

void Environment::set(std::string name, std::string value) {
  variables_.insert_or_assign(std::move(name), std::move(value));
}

Surroundings take_environment() {
  Surroundings out;
  std::vector<std::pair<std::string, char*>> entries;  // name, and where its value lies
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    char* equals = std::strchr(*entry, '=');
    if (equals == nullptr) continue;
    entries.emplace_back(std::string(*entry, equals), equals + 1);
    out.environment.set(entries.back().first, entries.back().second);
    if (names_a_secret(entries.back().first)) out.secrets.add(entries.back().second);
  }
  for (const auto& [name, value] : entries) {
    if (!names_a_secret(name) && !out.secrets.are_in(value)) continue;
    std::memset(value, 0, std::strlen(value));
    ::unsetenv(name.c_str());
  }
  return out;
}

}  // namespace dsv4::agent::github
