#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/approval.h"
#include "agent/endpoint.h"
#include "agent/hook.h"
#include "agent/price.h"

namespace dsv4::agent {

// Defaults of flags, named as those are.
struct LimitDefaults {
  std::optional<int64_t> attempts;  // of `fix` only
  std::optional<int64_t> parallel;  // of `fix` only
  std::optional<int64_t> max_turns;
  std::optional<int64_t> max_tokens;
  std::optional<int64_t> seed;
  std::optional<std::chrono::milliseconds> time_limit;  // of `fix` only
  std::optional<Approval> approve;                      // of a session only
};

// The user's own configuration. Of the defaults, what is typed on the command line comes before it.
struct UserConfig {
  std::optional<std::string> model;  // absolute
  std::optional<Endpoint> endpoint;
  KeySource endpoint_key;  // of that endpoint
  Prices prices;           // for the report
  LimitDefaults fix;
  LimitDefaults session;
  std::vector<Hook> hooks;
};

// What a repository may say about itself. It can only narrow what the user allows: limits that are
// higher than the user's do not count, and there is nothing here that a policy depends on.
struct RepositoryConfig {
  std::optional<std::string> test;                   // the command that decides
  std::optional<std::chrono::milliseconds> timeout;  // of one run of the tests, at most 10 minutes
  LimitDefaults fix;                                 // attempts, max_turns and max_tokens
};

inline constexpr const char* kRepositoryConfig = ".dsv4-agent.toml";
inline constexpr size_t kLongestConfig = 64 << 10;  // bytes

// $XDG_CONFIG_HOME/dsv4-agent/config.toml, or ~/.config/dsv4-agent/config.toml where that is not
// set; nothing when neither is known.
std::optional<std::filesystem::path> user_config_file();

// Reads it; defaults where there is none. Throws UsageError that names file, line and key for what
// is no TOML, a key that is not known, and a value of the wrong type or out of range.
UserConfig read_user_config();

// Reads kRepositoryConfig in the root of a repository, which may be anybody's; nothing where there
// is none. Throws like read_user_config(), also for what is only for the user to say.
RepositoryConfig read_repository_config(const std::filesystem::path& root);

// The same from text; `shown` names the file in messages. Pure functions of any bytes, but for HOME
// in front of a model's directory.
UserConfig parse_user_config(std::string_view text, const std::string& shown);
RepositoryConfig parse_repository_config(std::string_view text, const std::string& shown);

}  // namespace dsv4::agent
