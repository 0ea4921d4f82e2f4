#include "agent/endpoint_options.h"

#include "agent/error.h"
#include "agent/http/url.h"
#include "agent/option_values.h"

namespace dsv4::agent {
namespace {

namespace po = boost::program_options;

constexpr int64_t kSmallestContext = 1024;

}  // namespace

void add_endpoint_options(po::options_description* options) {
  auto add = options->add_options();
  add("endpoint", po::value<std::string>()->value_name("URL"),
      "a server that speaks OpenAI's chat completions (vLLM, SGLang, llama.cpp, DeepSeek's API), "
      "in place of a model in this process");
  add("endpoint-model", po::value<std::string>()->value_name("NAME"),
      "which of the server's models; may be left out where it has one");
  add("context", po::value<std::string>()->value_name("N"),
      "tokens that model reads; else what the server says, else 65536");
  add_key_options(options);
}

void add_key_options(po::options_description* options) {
  auto add = options->add_options();
  add("key-env", po::value<std::string>()->value_name("NAME"),
      "the variable that holds the server's key; DSV4_API_KEY when left out");
  add("key-command", po::value<std::string>()->value_name("CMD"),
      "a command that prints the server's key");
}

std::optional<Endpoint> endpoint_value(const po::variables_map& values, const UserConfig& config) {
  const auto url = text_value(values, "endpoint");
  const auto model = text_value(values, "endpoint-model");
  const bool local = values.count("model") != 0;
  if (local && url) {
    throw UsageError("--model and --endpoint exclude each other: the model runs here or there");
  }
  const std::optional<Endpoint>& configured = config.endpoint;
  if (!url && !local && config.model && configured) {
    throw UsageError(
        "config.toml sets both model and endpoint: take one out, or say --model or --endpoint");
  }
  Endpoint endpoint;
  if (configured && !local && (!url || *url == configured->url)) {
    endpoint = *configured;
  } else if (url) {
    endpoint.url = *url;
  } else {
    if (!model && values.count("context") == 0) return std::nullopt;
    throw UsageError("--endpoint-model and --context are for --endpoint URL");
  }
  try {
    http::parse_url(endpoint.url);
  } catch (const http::Error& error) {
    throw UsageError("--endpoint: " + std::string(error.what()));
  }
  if (model) endpoint.model = *model;
  if (values.count("context") != 0) {
    endpoint.context = whole_number(values, "context", kSmallestContext, 0, int64_t{1} << 40);
  }
  return endpoint;
}

KeySource key_value(const po::variables_map& values, const UserConfig& config,
                    const std::optional<Endpoint>& endpoint) {
  KeySource source;
  if (endpoint && config.endpoint && endpoint->url == config.endpoint->url) {
    source = config.endpoint_key;
  }
  const auto variable = text_value(values, "key-env");
  const auto command = text_value(values, "key-command");
  if (variable && command) {
    throw UsageError("--key-env and --key-command exclude each other: there is one key");
  }
  if (variable) source = {*variable, std::nullopt};
  if (command) source.command = *command;
  return source;
}

}  // namespace dsv4::agent
