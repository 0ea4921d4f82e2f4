#include "agent/terminal/input_history.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tools/descriptor.h"

namespace dsv4::agent::terminal {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLongest = 64 << 10;  // bytes of one message

std::string line_of(const std::string& message) {
  return nlohmann::json(message).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) +
         "\n";
}

// In one write, so that programs that add at once do not mix their lines.
void write_lines(const fs::path& file, const std::string& lines, int flags) {
  constexpr mode_t kOwnerOnly = 0600;
  const tools::Descriptor out(
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, kOwnerOnly));
  if (!out) return;
  [[maybe_unused]] const ssize_t written = ::write(out.get(), lines.data(), lines.size());
}

}  // namespace

std::vector<std::string> InputHistory::load() const {
  std::vector<std::string> messages;
  std::ifstream in(file_);
  for (std::string line; std::getline(in, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (json.is_string()) messages.push_back(json.get<std::string>());
  }
  if (messages.size() <= kMost) return messages;
  const bool far_beyond = messages.size() > 2 * kMost;
  messages.erase(messages.begin(), messages.end() - kMost);
  if (far_beyond) {
    std::string lines;
    for (const std::string& message : messages) lines += line_of(message);
    const fs::path fresh = file_.string() + ".new";
    write_lines(fresh, lines, O_TRUNC);
    std::error_code error;
    fs::rename(fresh, file_, error);
  }
  return messages;
}

void InputHistory::add(const std::string& message) const {
  if (message.size() > kLongest) return;
  std::error_code error;
  fs::create_directories(file_.parent_path(), error);
  write_lines(file_, line_of(message), O_APPEND);
}

}  // namespace dsv4::agent::terminal
