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

std::unique_ptr<llm::Conversation> open_for_fix(const FixOptions& options, const std::string& key,
                                                Observer& observer, std::stop_token cancel) {
  EndpointRun run;
  run.key = key;
  if (options.parallel == 1) {
    run.on_note = [&observer](const std::string& sentence) { observer.on_note(sentence); };
  }
  return open_choice({options.model, options.endpoint}, std::move(run), std::move(cancel));
}

std::unique_ptr<llm::Conversation> open_choice(const ModelChoice& choice, EndpointRun run,
                                               std::stop_token cancel) {
  if (!choice.endpoint) return open_model(choice.directory);
  return open_endpoint(*choice.endpoint, std::move(run), std::move(cancel));
}

}  // namespace dsv4::agent
