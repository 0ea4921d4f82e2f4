#pragma once

#include <optional>
#include <string>

namespace dsv4::agent {

// The value of an environment variable, for a secret: the variable is gone afterwards, and what
// /proc/PID/environ shows of it is wiped. Nothing when there is none. Not while other threads read
// the environment.
std::optional<std::string> take_variable(const std::string& name);

}  // namespace dsv4::agent
