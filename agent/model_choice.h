#pragma once

#include <optional>
#include <string>

#include "agent/endpoint.h"

namespace dsv4::agent {

// Which model is meant.
struct ModelChoice {
  std::optional<std::string> directory;  // of a checkpoint; else the embedded model
  std::optional<Endpoint> endpoint;      // a server's, in place of one in this process
};

}  // namespace dsv4::agent
