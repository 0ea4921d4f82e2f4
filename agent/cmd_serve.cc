#include <algorithm>
#include <boost/program_options.hpp>
#include <iostream>
#include <memory>
#include <string>

#include "agent/commands.h"
#include "agent/config_file.h"
#include "agent/error.h"
#include "agent/model_directory.h"
#include "agent/option_values.h"
#include "agent/printable.h"
#include "agent/serve/chat_service.h"
#include "agent/serve/http_server.h"
#include "agent/stop.h"
#include "llm/serve/engine.h"

namespace dsv4::agent {
namespace {

namespace po = boost::program_options;
using nlohmann::ordered_json;

constexpr const char* kHelp =
    "usage: dsv4-agent serve [options]\n\n"
    "Serves the model over OpenAI's protocol (chat completions with tools, completions, models)\n"
    "until it is interrupted. Prints one line of JSON with its address once it listens. Exits\n"
    "with 0, or with 130 when it had to cut replies short.\n\n";

constexpr auto kNoTimeLimit = std::chrono::hours(24 * 365 * 100);
// Connections that do not ask for text just now: idle ones, and those that ask how it goes.
constexpr int64_t kSpareConnections = 32;
// No text takes more bytes for a token, escapes included.
constexpr int64_t kBytesOfToken = 16;

po::options_description all_options() {
  po::options_description options("options");
  options.add_options()("help", "show this text")("model", po::value<std::string>(),
                                                  "directory of a checkpoint; default: embedded")(
      "host", po::value<std::string>()->default_value("127.0.0.1"),
      "address to listen on; one that other machines reach needs a key")(
      "port", po::value<std::string>()->default_value("8080"), "0: one that is free")(
      "key-env", po::value<std::string>(), "environment variable that holds the clients' key")(
      "key-file", po::value<std::string>(), "file whose first line is that key")(
      "max-clients", po::value<std::string>(), "requests computed at the same time (32)")(
      "queue", po::value<std::string>(), "further requests that may wait (64)")(
      "max-tokens", po::value<std::string>(), "tokens of one reply, at most (4096)")(
      "context", po::value<std::string>(), "tokens of one context, at most (the model's window)")(
      "cache-mb", po::value<std::string>(), "memory for contexts, in MiB (1024)")(
      "threads", po::value<std::string>(), "threads that compute (one per core)")(
      "read-timeout", po::value<std::string>(),
      "seconds until a request's header must be there (10); its body may take six times that")(
      "grace", po::value<std::string>(),
      "seconds that running replies may take once it is interrupted (10)")(
      "thinking", "think before answering where a request does not say")(
      "no-draft", "never guess ahead, not even for one client alone");
  return options;
}

std::optional<serve::Key> read_key(const po::variables_map& given) {
  const auto variable = text_value(given, "key-env");
  const auto file = text_value(given, "key-file");
  if (variable && file) throw UsageError("--key-env and --key-file exclude each other");
  if (variable) return serve::key_from_environment(*variable);
  if (file) return serve::key_from_file(*file);
  return std::nullopt;
}

serve::HttpOptions http_options(const po::variables_map& given, int64_t requests) {
  serve::HttpOptions http;
  http.host = *text_value(given, "host");
  http.port = static_cast<uint16_t>(whole_number(given, "port", 0, 8080, 65535));
  http.connections = static_cast<size_t>(requests + kSpareConnections);
  const int64_t seconds = whole_number(given, "read-timeout", 1, 10, 3600);
  http.header_time = std::chrono::seconds(seconds);
  http.body_time = std::chrono::seconds(6 * seconds);
  http.grace = std::chrono::seconds(whole_number(given, "grace", 0, 10, 24 * 3600));
  return http;
}

llm::serve::EngineOptions engine_options(const po::variables_map& given) {
  llm::serve::EngineOptions options;
  options.threads = static_cast<int>(whole_number(given, "threads", 0, 0, 1024));
  options.most_running = static_cast<int>(whole_number(given, "max-clients", 1, 32, 1024));
  options.kept_bytes = whole_number(given, "cache-mb", 1, 1024, 1 << 24) << 20;
  options.draft = given.count("no-draft") == 0;
  return options;
}

void announce(const serve::HttpServer& server, const std::string& name, int64_t window) {
  const std::string url = "http://" + server.address() + ":" + std::to_string(server.port());
  const ordered_json line = {
      {"listening", url}, {"port", server.port()}, {"model", name}, {"max_model_len", window}};
  std::cout << line.dump() << std::endl;
  std::cerr << "dsv4-agent: " << printable_line(name, 100) << " is served at " << url
            << "/v1; Ctrl-C ends it\n";
}

}  // namespace

int cmd_serve(const std::vector<std::string>& arguments) {
  const po::options_description options = all_options();
  const po::variables_map given = read_options(arguments, options, {}, "dsv4-agent serve --help");
  if (given.count("help") != 0) {
    std::cout << kHelp << options;
    return kPassed;
  }
  const llm::serve::EngineOptions engine_settings = engine_options(given);
  serve::ServiceOptions service_options;
  service_options.key = read_key(given);
  service_options.most_running = engine_settings.most_running;
  service_options.most_waiting = static_cast<int>(whole_number(given, "queue", 0, 64, 1 << 16));
  service_options.max_tokens = whole_number(given, "max-tokens", 1, 4096, int64_t{1} << 40);
  service_options.thinking = given.count("thinking") != 0;
  serve::HttpOptions http =
      http_options(given, service_options.most_running + service_options.most_waiting);
  if (!service_options.key && !serve::is_loopback(http.host)) {
    throw UsageError("--host " + printable_line(http.host, 100) +
                     " can be reached from other machines: name a key for its clients with "
                     "--key-env or --key-file");
  }
  std::optional<int64_t> window;
  if (given.count("context") != 0) {
    window = whole_number(given, "context", 1, 0, int64_t{1} << 40);
  }
  std::optional<std::string> named = text_value(given, "model");
  if (!named) named = read_user_config().model;
  const llm::OpenedModel model = llm::open_for_conversations(find_model(named), window);
  service_options.model = is_embedded_model(named) ? "nano" : model.shared->name;
  http.body_bytes = static_cast<uint64_t>((1 << 20) + model.shared->window * kBytesOfToken);

  serve::HttpServer server(http);
  Stop stop(kNoTimeLimit);
  announce(server, service_options.model, model.shared->window);
  serve::ChatService service(std::make_unique<llm::serve::Engine>(model, engine_settings), server,
                             std::move(service_options));
  return server.run(service, stop.token()) ? kInterrupted : kPassed;
}

}  // namespace dsv4::agent
