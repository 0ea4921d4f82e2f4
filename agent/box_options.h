#pragma once

#include <boost/program_options.hpp>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "sandbox/sandbox.h"

namespace dsv4::agent {

// What a person said about the sandbox.
struct BoxOptions {
  bool sandboxed = true;
  sandbox::BackendKind box = sandbox::BackendKind::kAuto;
  std::vector<sandbox::AllowedHost> allow_net;  // that commands may reach; logged in network.log
  bool allow_ci_changes = false;                // CI configuration and hooks are files like others
};

// --sandbox, --allow-net, --allow-ci-changes and --no-sandbox.
void add_box_flags(boost::program_options::options_description* options);

// What was typed of them in this process.
struct BoxFlags {
  bool no_sandbox = false;
  std::optional<sandbox::BackendKind> box;
  std::optional<std::vector<sandbox::AllowedHost>> allow_net;
  bool allow_ci_changes = false;

  // The options of a run or session that goes on: what was typed now comes first. That there is no
  // sandbox counts only when it was typed now.
  BoxOptions over(const BoxOptions& saved) const;
};
// The same as words of a command line.
std::vector<std::string> words_of(const BoxFlags& flags);
// UsageError for what is none of the values, or for two that exclude each other.
BoxFlags box_flags(const boost::program_options::variables_map& values);

// As the record of a run or session has them. A record of an earlier version says less.
nlohmann::ordered_json box_json(const BoxOptions& options);
BoxOptions box_options_from(const nlohmann::ordered_json& json);

// The names that stay as they are. `hooks`: see sandbox::ProtectedNames.
sandbox::ProtectedNames protected_names(const BoxOptions& options, const std::string& hooks);

// The policy of commands in `copy`: what the person said, over sandbox::task_policy(). What they
// ask of the network is logged in `log_directory`.
sandbox::Policy box_policy(const BoxOptions& options, const std::filesystem::path& copy,
                           const std::string& hooks, const std::filesystem::path& log_directory);

// Makes the policy for commands in a directory.
using PolicyMaker = std::function<sandbox::Policy(const std::filesystem::path& directory)>;

}  // namespace dsv4::agent
