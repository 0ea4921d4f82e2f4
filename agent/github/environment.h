#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "agent/github/secrets.h"

namespace dsv4::agent::github {

// Variables by name.
class Environment {
 public:
  Environment() = default;
  explicit Environment(std::map<std::string, std::string, std::less<>> variables)
      : variables_(std::move(variables)) {}

  // Nothing when it is not set, or empty: GitHub sets what is missing to nothing.
  std::optional<std::string> find(std::string_view name) const;
  std::string value(std::string_view name) const { return find(name).value_or(""); }
  // Throws UsageError that says where the variable comes from.
  std::string required(std::string_view name) const;

  void set(std::string name, std::string value);

 private:
  std::map<std::string, std::string, std::less<>> variables_;
};

// The process's own environment. Whatever is a secret by its name, or holds one, is taken out of
// the process: its bytes are overwritten, so that /proc does not show it and no child inherits it.
// Nothing else may run in the process meanwhile.
struct Surroundings {
  Environment environment;  // secrets included
  Secrets secrets;
};
Surroundings take_environment();

}  // namespace dsv4::agent::github
