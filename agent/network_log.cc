#include "agent/network_log.h"

#include <fstream>
#include <memory>
#include <mutex>

#include "agent/printable.h"

namespace dsv4::agent {

std::function<void(const std::string&)> network_log(const std::filesystem::path& directory) {
  const auto mutex = std::make_shared<std::mutex>();
  return [mutex, file = directory / "network.log"](const std::string& line) {
    const std::lock_guard<std::mutex> lock(*mutex);
    constexpr size_t kLongest = 400;
    std::ofstream(file, std::ios::app) << printable_line(line, kLongest) << '\n';
  };
}

}  // namespace dsv4::agent
