#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dsv4::tools {

struct Workspace;

// The calls of one turn, in order: name and arguments.
using Calls = std::vector<std::pair<std::string, nlohmann::ordered_json>>;

// Why doing these calls leads nowhere, as far as that can be known without doing them: an edit that
// cannot be done or changes nothing; tests of a tree that does not parse, uses a name that nothing
// defines, or failed before; looking again at what cannot have changed. Nothing when there is no
// such reason, or when it cannot be known (commands, several edits). A sentence part for people:
// "the edit changes nothing".
std::optional<std::string> foresee(Workspace& workspace, const Calls& calls);

// Keeps in mind that a call was done, for foreseeing the next ones.
void remember_call(Workspace& workspace, const std::string& name,
                   const nlohmann::ordered_json& arguments);

}  // namespace dsv4::tools
