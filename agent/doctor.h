#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "agent/commands.h"

namespace dsv4::agent {

// One thing that was looked at.
struct Check {
  enum class State { kGood, kAbsent, kBad };

  std::string name;
  State state = State::kGood;  // kAbsent: nothing that is always needed
  std::string detail;          // what was found
  std::string advice;          // what to do about it, where it is not good
};

struct Diagnosis {
  std::vector<Check> checks;
  ExitCode exit_code =
      kPassed;  // what `fix` would end with here: kPassed, kUsage, kEngine, kSandbox

  nlohmann::ordered_json json() const;
};

// Looks at processor, memory, the user's configuration, model (else the configured one), the
// configured endpoint, which is asked for its models, sandbox, state directory and the programs
// that tests need. Takes the endpoint's key out of this process's environment.
Diagnosis examine(const std::optional<std::string>& model);

}  // namespace dsv4::agent
