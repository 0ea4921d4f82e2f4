#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/workspace.h"

namespace dsv4::tools {

// The values that make sense for one argument of a call, given those before it: the repository's
// files for `path`, its definitions for `symbol`, whole lines of what is edited for `old`. Nothing
// when the value is free, or when there are too many values to list. Never throws.
//
// earlier: the names of the calls before it in the same turn, which are not done yet. After `undo`
// the lines are those that undo will bring back; after another change they cannot be known.
std::optional<std::vector<std::string>> argument_choices(Workspace& workspace,
                                                         const std::vector<std::string>& earlier,
                                                         const std::string& tool,
                                                         const std::string& parameter,
                                                         const nlohmann::ordered_json& arguments);

}  // namespace dsv4::tools
