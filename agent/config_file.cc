#include "agent/config_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <map>

#include "agent/duration.h"
#include "agent/error.h"
#include "agent/printable.h"
#include "sandbox/descriptor.h"
#include "tools/registry.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr int64_t kMany = 1'000'000;
constexpr milliseconds kLongestTest = std::chrono::minutes(10);
constexpr milliseconds kLongestHook = std::chrono::minutes(10);

// The value of one key, and the key's whole name for messages.
struct Setting {
  const toml::node& value;
  std::string key;
};

// What is done with each key that a table may have.
using Known = std::map<std::string, std::function<void(const Setting&)>>;

// Values of one file, each with the place it comes from.
class Reader {
 public:
  explicit Reader(std::string shown) : shown_(std::move(shown)) {}

  void file(std::string_view text, const Known& known) const {
    try {
      each(toml::parse(text), "", known);
    } catch (const toml::parse_error& error) {
      throw UsageError(at(error.source()) + printable_line(error.description(), 300));
    }
  }

  void table(const Setting& setting, const Known& known) const {
    if (!setting.value.is_table()) refuse(setting, "must be a table: [" + setting.key + "]");
    each(*setting.value.as_table(), setting.key + ".", known);
  }

  [[noreturn]] void refuse(const Setting& setting, const std::string& sentence) const {
    throw UsageError(at(setting.value.source()) + setting.key + " " + sentence);
  }

  std::string text(const Setting& setting) const {
    const auto value = setting.value.value<std::string>();
    if (!setting.value.is_string() || value->find_first_not_of(" \t\r\n") == std::string::npos) {
      refuse(setting, "must be a text that is not empty");
    }
    if (value->find('\0') != std::string::npos) refuse(setting, "must not hold a NUL");
    return *value;
  }

  bool flag(const Setting& setting) const {
    if (!setting.value.is_boolean()) refuse(setting, "must be true or false");
    return *setting.value.value<bool>();
  }

  void list(const Setting& setting, const std::function<void(const Setting&)>& take) const {
    if (!setting.value.is_array()) refuse(setting, "must be a list: [...], or [[...]] of tables");
    for (const toml::node& each : *setting.value.as_array()) take({each, setting.key});
  }

  int64_t number(const Setting& setting, int64_t smallest, int64_t largest) const {
    const auto value = setting.value.is_integer() ? setting.value.value<int64_t>() : std::nullopt;
    if (!value || *value < smallest || *value > largest) {
      refuse(setting, "must be a whole number from " + std::to_string(smallest) + " to " +
                          std::to_string(largest));
    }
    return *value;
  }

  double price(const Setting& setting) const {
    const auto value = setting.value.is_number() ? setting.value.value<double>() : std::nullopt;
    if (!value || !(*value >= 0 && *value < 1e9)) {
      refuse(setting, "must be a price per million tokens, such as 0.27");
    }
    return *value;
  }

  // Each member of a table whose names are the user's own.
  void members(const Setting& setting, const std::function<void(const Setting&)>& take) const {
    if (!setting.value.is_table()) refuse(setting, "must be a table: [" + setting.key + "]");
    for (const auto& [name, node] : *setting.value.as_table())
      take({node, std::string(name.str())});
  }

  milliseconds duration(const Setting& setting) const {
    const toml::node& node = setting.value;
    const auto value = node.is_string() ? parse_duration(*node.value<std::string>()) : std::nullopt;
    if (!value) refuse(setting, "must be a duration such as \"90s\", \"30m\" or \"2h\"");
    return *value;
  }

 private:
  void each(const toml::table& table, const std::string& prefix, const Known& known) const {
    for (const auto& [key, node] : table) {
      const std::string name = prefix + printable_line(key.str(), 60);
      const auto found = known.find(std::string(key.str()));
      if (found == known.end()) {
        std::string names;
        for (const auto& [each, take] : known) names += (names.empty() ? "" : ", ") + each;
        throw UsageError(at(key.source()) + "there is no setting " + name + ", but " + names);
      }
      found->second({node, name});
    }
  }

  std::string at(const toml::source_region& source) const {
    return shown_ + ":" + std::to_string(source.begin.line) + ": ";
  }

  std::string shown_;
};

// The limits of one attempt, or one message.
void add_limits(const Reader& in, LimitDefaults& out, Known& known) {
  known["max-turns"] = [&](const Setting& s) { out.max_turns = in.number(s, 1, kMany); };
  known["max-tokens"] = [&](const Setting& s) { out.max_tokens = in.number(s, 1, 1000 * kMany); };
}

void add_attempts(const Reader& in, LimitDefaults& out, Known& known) {
  known["attempts"] = [&](const Setting& s) { out.attempts = in.number(s, 1, 1000); };
}

void add_user_limits(const Reader& in, LimitDefaults& out, Known& known) {
  add_limits(in, out, known);
  known["seed"] = [&](const Setting& s) {
    out.seed = in.number(s, 0, std::numeric_limits<int64_t>::max());
  };
  known["no-sandbox"] = [&](const Setting& s) {
    in.refuse(s, "is for a person to type, each time: take it out");
  };
}

std::string model_directory(const Reader& in, const Setting& setting) {
  std::string path = in.text(setting);
  const char* home = std::getenv("HOME");
  if (path.starts_with("~/") && home != nullptr) path = home + path.substr(1);
  if (path[0] != '/') in.refuse(setting, "must be a whole path: /... or ~/...");
  return path;
}

void read_endpoint(const Reader& in, const Setting& setting, UserConfig* config) {
  Endpoint endpoint;
  KeySource key;
  in.table(
      setting,
      {{"url", [&](const Setting& s) { endpoint.url = in.text(s); }},
       {"model", [&](const Setting& s) { endpoint.model = in.text(s); }},
       {"context", [&](const Setting& s) { endpoint.context = in.number(s, 1024, 1LL << 40); }},
       {"timeout", [&](const Setting& s) { endpoint.timeout = in.duration(s); }},
       {"keys-in-the-clear", [&](const Setting& s) { endpoint.keys_in_the_clear = in.flag(s); }},
       {"key-env", [&](const Setting& s) { key.variable = in.text(s); }},
       {"key-command", [&](const Setting& s) { key.command = in.text(s); }},
       {"key", [&](const Setting& s) {
          in.refuse(s, "would lie about in a file: use key-env or key-command");
        }}});
  if (endpoint.url.empty()) in.refuse(setting, "has no url");
  config->endpoint = std::move(endpoint);
  config->endpoint_key = std::move(key);
}

void read_price(const Reader& in, const Setting& setting, Prices* prices) {
  Price price;
  bool cached = false;
  in.table(setting, {{"input", [&](const Setting& s) { price.input = in.price(s); }},
                     {"cached-input",
                      [&](const Setting& s) {
                        price.cached_input = in.price(s);
                        cached = true;
                      }},
                     {"output", [&](const Setting& s) { price.output = in.price(s); }}});
  if (!cached) price.cached_input = price.input;
  (*prices)[setting.key] = price;
}

std::string tool_name(const Reader& in, const Setting& setting) {
  std::string names;
  for (const tools::Tool& tool : tools::registry()) {
    if (tool.name == in.text(setting)) return std::string(tool.name);
    names += (names.empty() ? "" : ", ") + std::string(tool.name);
  }
  in.refuse(setting, "must name tools: " + names);
}

Hook::On event_of(const Reader& in, const Setting& setting) {
  const std::string name = in.text(setting);
  if (name == "before-tool") return Hook::On::kBeforeTool;
  if (name == "after-tool") return Hook::On::kAfterTool;
  if (name == "finish") return Hook::On::kFinish;
  in.refuse(setting, R"(must be "before-tool", "after-tool" or "finish")");
}

Hook read_hook(const Reader& in, const Setting& table) {
  Hook hook;
  std::optional<Hook::On> on;
  in.table(table,
           {{"on", [&](const Setting& s) { on = event_of(in, s); }},
            {"command", [&](const Setting& s) { hook.command = in.text(s); }},
            {"sandbox", [&](const Setting& s) { hook.sandboxed = in.flag(s); }},
            {"timeout",
             [&](const Setting& s) {
               hook.timeout = in.duration(s);
               if (hook.timeout > kLongestHook) in.refuse(s, "must be at most \"10m\"");
             }},
            {"tools", [&](const Setting& s) {
               in.list(s, [&](const Setting& tool) { hook.tools.push_back(tool_name(in, tool)); });
             }}});
  if (!on || hook.command.empty()) in.refuse(table, "must say `on` what to run which `command`");
  hook.on = *on;
  return hook;
}

// Nothing when there is no such file; a pipe or a device in its place is refused, not waited for.
std::optional<std::string> read_text(const fs::path& file, const std::string& shown,
                                     int more_flags) {
  const sandbox::Descriptor fd(
      ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | more_flags));
  if (!fd) {
    const int error = errno;
    std::error_code unknown;
    if (error == ENOENT && fs::is_symlink(file, unknown)) {
      throw UsageError(shown + " is a link to nothing: put a file there, or take the link away");
    }
    if (error == ENOENT || error == ENOTDIR) return std::nullopt;
    if (error == ELOOP) throw UsageError(shown + " is a link: put a file there");
    throw UsageError(shown + " cannot be read: " + std::strerror(error));
  }
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    throw UsageError(shown + " is no regular file");
  }
  std::string text(kLongestConfig + 1, '\0');
  const ssize_t got = ::read(fd.get(), text.data(), text.size());
  if (got < 0) throw UsageError(shown + " cannot be read: " + std::strerror(errno));
  text.resize(static_cast<size_t>(got));
  if (text.size() > kLongestConfig) throw UsageError(shown + " is larger than 64 KiB");
  return text;
}

}  // namespace

std::optional<fs::path> user_config_file() {
  const fs::path below = "dsv4-agent/config.toml";
  const char* config = std::getenv("XDG_CONFIG_HOME");
  if (config != nullptr && config[0] == '/') return config / below;
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return fs::path(home) / ".config" / below;
  return std::nullopt;
}

UserConfig parse_user_config(std::string_view text, const std::string& shown) {
  const Reader in(shown);
  UserConfig config;
  Known fix;
  add_attempts(in, config.fix, fix);
  add_user_limits(in, config.fix, fix);
  fix["parallel"] = [&](const Setting& s) { config.fix.parallel = in.number(s, 1, 64); };
  fix["time-limit"] = [&](const Setting& s) { config.fix.time_limit = in.duration(s); };
  Known session;
  add_user_limits(in, config.session, session);
  session["approve"] = [&](const Setting& s) {
    config.session.approve = parse_approval(in.text(s));
    if (!config.session.approve) in.refuse(s, "must be \"read-only\", \"ask\" or \"auto\"");
  };
  in.file(text,
          {{"model", [&](const Setting& s) { config.model = model_directory(in, s); }},
           {"endpoint", [&](const Setting& s) { read_endpoint(in, s, &config); }},
           {"prices",
            [&](const Setting& s) {
              in.members(s, [&](const Setting& each) { read_price(in, each, &config.prices); });
            }},
           {"fix", [&](const Setting& s) { in.table(s, fix); }},
           {"session", [&](const Setting& s) { in.table(s, session); }},
           {"hooks", [&](const Setting& s) {
              in.list(s, [&](const Setting& hook) { config.hooks.push_back(read_hook(in, hook)); });
            }}});
  return config;
}

RepositoryConfig parse_repository_config(std::string_view text, const std::string& shown) {
  const Reader in(shown);
  RepositoryConfig config;
  const auto not_its_own = [&](const Setting& s) {
    in.refuse(s, "is not for a repository to set, but for your own config.toml: take it out");
  };
  Known fix;
  add_attempts(in, config.fix, fix);
  add_limits(in, config.fix, fix);
  for (const char* key : {"parallel", "seed", "time-limit", "no-sandbox"}) fix[key] = not_its_own;
  Known all = {{"test", [&](const Setting& s) { config.test = in.text(s); }},
               {"timeout",
                [&](const Setting& s) {
                  config.timeout = in.duration(s);
                  if (*config.timeout > kLongestTest) in.refuse(s, "must be at most \"10m\"");
                }},
               {"fix", [&](const Setting& s) { in.table(s, fix); }}};
  for (const char* key : {"model", "endpoint", "prices", "session", "hooks"}) {
    all[key] = not_its_own;
  }
  in.file(text, all);
  return config;
}

UserConfig read_user_config() {
  const auto file = user_config_file();
  if (!file) return {};
  const std::string shown = printable_line(file->string(), 300);
  const auto text = read_text(*file, shown, 0);
  return text ? parse_user_config(*text, shown) : UserConfig{};
}

RepositoryConfig read_repository_config(const fs::path& root) {
  const fs::path file = root / kRepositoryConfig;
  const std::string shown = printable_line(file.string(), 300);
  const auto text = read_text(file, shown, O_NOFOLLOW);
  return text ? parse_repository_config(*text, shown) : RepositoryConfig{};
}

}  // namespace dsv4::agent
