#include "agent/open_model.h"

#include <cstdlib>
#include <filesystem>

#include "agent/model_directory.h"
#include "llm/local_conversation.h"

namespace dsv4::agent {
namespace {

std::optional<std::filesystem::path> sessions_directory() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const std::filesystem::path below = std::filesystem::path("dsv4-agent") / "sessions";
  if (cache != nullptr && *cache == '/') return cache / below;
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::filesystem::path(home) / ".cache" / below;
  return std::nullopt;
}

}  // namespace

std::unique_ptr<llm::Conversation> open_model(const std::optional<std::string>& named) {
  llm::LocalOptions options;
  options.sessions = sessions_directory();
  return llm::open_local(find_model(named), options);
}

}  // namespace dsv4::agent
