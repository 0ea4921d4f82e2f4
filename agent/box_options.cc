#include "agent/box_options.h"

#include "agent/error.h"
#include "agent/network_log.h"
#include "agent/option_values.h"
#include "agent/printable.h"

namespace dsv4::agent {

namespace po = boost::program_options;
using nlohmann::ordered_json;

void add_box_flags(po::options_description* options) {
  auto add = options->add_options();
  add("sandbox", po::value<std::string>()->value_name("KIND"),
      "auto (bubblewrap where it works, else Landlock), bubblewrap or landlock");
  add("allow-net", po::value<std::string>()->value_name("HOST:PORT,..."),
      "servers that commands may reach, through a proxy that logs it; none when left out");
  add("allow-ci-changes", "let CI configuration and git hooks be changed like other files");
  add("no-sandbox", "run commands unprotected; only where everything is trusted");
}

BoxFlags box_flags(const po::variables_map& values) {
  BoxFlags flags;
  flags.no_sandbox = values.count("no-sandbox") != 0;
  flags.allow_ci_changes = values.count("allow-ci-changes") != 0;
  if (const auto kind = text_value(values, "sandbox")) {
    if (flags.no_sandbox) throw UsageError("--sandbox and --no-sandbox exclude each other");
    try {
      flags.box = sandbox::backend_kind(*kind);
    } catch (const std::invalid_argument& error) {
      throw UsageError("--sandbox: " + printable_line(error.what(), 200));
    }
  }
  if (const auto hosts = text_value(values, "allow-net")) {
    if (flags.no_sandbox) {
      throw UsageError("--allow-net needs the sandbox: without it the whole network is open");
    }
    try {
      flags.allow_net = sandbox::parse_allowed_hosts(*hosts);
    } catch (const std::invalid_argument& error) {
      throw UsageError("--allow-net: " + printable_line(error.what(), 200));
    }
  }
  return flags;
}

std::vector<std::string> words_of(const BoxFlags& flags) {
  std::vector<std::string> words;
  if (flags.no_sandbox) words.emplace_back("--no-sandbox");
  if (flags.box) words.insert(words.end(), {"--sandbox", std::string(name_of(*flags.box))});
  if (flags.allow_net) words.insert(words.end(), {"--allow-net", shown(*flags.allow_net)});
  if (flags.allow_ci_changes) words.emplace_back("--allow-ci-changes");
  return words;
}

BoxOptions BoxFlags::over(const BoxOptions& saved) const {
  BoxOptions options = saved;
  options.sandboxed = !no_sandbox;
  options.box = box.value_or(saved.box);
  options.allow_net = allow_net.value_or(saved.allow_net);
  if (no_sandbox) options.allow_net.clear();
  options.allow_ci_changes = allow_ci_changes || saved.allow_ci_changes;
  return options;
}

ordered_json box_json(const BoxOptions& options) {
  return {{"sandboxed", options.sandboxed},
          {"sandbox", std::string(sandbox::name_of(options.box))},
          {"allow_net", shown(options.allow_net)},
          {"allow_ci_changes", options.allow_ci_changes}};
}

BoxOptions box_options_from(const ordered_json& json) {
  BoxOptions options;
  options.sandboxed = json.value("sandboxed", true);
  options.box = sandbox::backend_kind(json.value("sandbox", std::string("auto")));
  const std::string hosts = json.value("allow_net", std::string());
  if (!hosts.empty()) options.allow_net = sandbox::parse_allowed_hosts(hosts);
  options.allow_ci_changes = json.value("allow_ci_changes", false);
  return options;
}

sandbox::ProtectedNames protected_names(const BoxOptions& options, const std::string& hooks) {
  return options.allow_ci_changes ? sandbox::ProtectedNames::none()
                                  : sandbox::ProtectedNames(hooks);
}

sandbox::Policy box_policy(const BoxOptions& options, const std::filesystem::path& copy,
                           const std::string& hooks, const std::filesystem::path& log_directory) {
  sandbox::Policy policy = sandbox::task_policy(copy, protected_names(options, hooks));
  policy.enforce = options.sandboxed;
  policy.backend = options.box;
  policy.network = options.allow_net;
  policy.on_network = network_log(log_directory);
  return policy;
}

}  // namespace dsv4::agent
