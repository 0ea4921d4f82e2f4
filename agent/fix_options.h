#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/fix.h"

namespace dsv4::agent {

// The command line of `fix`.
struct FixArguments {
  FixOptions options;
  std::optional<std::string> model;  // directory; else the embedded model
  bool json = false;
  bool quiet = false;
  bool help = false;
};

// Throws UsageError for anything that is not as fix_help() says.
FixArguments parse_fix_arguments(const std::vector<std::string>& arguments);

std::string fix_help();

}  // namespace dsv4::agent
