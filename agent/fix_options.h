#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/config_file.h"
#include "agent/fix.h"

namespace dsv4::agent {

// The command line of `fix`.
struct FixArguments {
  FixOptions options;
  std::optional<std::string> model;  // directory; else the embedded model
  KeySource key;                     // of options.endpoint
  bool json = false;
  bool quiet = false;
  bool help = false;
};

// The command line, over what the user's configuration says. Throws UsageError for anything that is
// not as fix_help() says.
FixArguments parse_fix_arguments(const std::vector<std::string>& arguments,
                                 const UserConfig& config = {});

std::string fix_help();

}  // namespace dsv4::agent
