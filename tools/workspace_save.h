#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "tools/workspace.h"

namespace dsv4::tools {

// See Toolbox::save() and Toolbox::resume().
nlohmann::ordered_json save_workspace(Workspace& workspace);

// Where a workspace was at the last of several saves.
struct SavedPlace {
  Remembered remembered;
  std::shared_ptr<const History::Mark> files;
};
SavedPlace workspace_at(const Workspace& workspace, std::span<const nlohmann::ordered_json> saved);

std::vector<int64_t> resume_workspace(Workspace& workspace,
                                      std::span<const nlohmann::ordered_json> saved);

}  // namespace dsv4::tools
