#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dsv4::agent::github {

// Why a patch that nobody has read may not touch this path, as the end of a sentence ("is part of
// the continuous integration"); nothing when it may. Names that some file system takes for .git,
// files that a service, an editor or git itself acts on, and what is no plain relative path.
std::optional<std::string> why_not_touch(std::string_view path);

}  // namespace dsv4::agent::github
