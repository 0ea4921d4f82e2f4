#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace dsv4::agent {

// Writes what commands asked of the network, a line each, to `network.log` in `directory`. May be
// called on any thread.
std::function<void(const std::string&)> network_log(const std::filesystem::path& directory);

}  // namespace dsv4::agent
