#include "agent/endpoint.h"

#include <algorithm>
#include <random>
#include <utility>

#include "agent/http/url.h"
#include "agent/printable.h"
#include "llm/error.h"
#include "llm/remote_conversation.h"

namespace dsv4::agent {
namespace {

using nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr size_t kMostBytes = size_t{256} << 20;  // of one reply

// The URL that paths are below: ".../v1", without a slash at the end.
http::Url base_of(const std::string& text) {
  http::Url url = http::parse_url(text);
  if (url.target.find('?') != std::string::npos) {
    throw http::Error(http::ErrorKind::kRequest, "the URL cannot be used: it has a query");
  }
  constexpr std::string_view kWhole = "/chat/completions";
  while (url.target.ends_with('/')) url.target.pop_back();
  if (url.target.ends_with(kWhole)) url.target.resize(url.target.size() - kWhole.size());
  if (url.target.empty()) url.target = "/v1";
  return url;
}

http::ClientOptions client_options(const Endpoint& endpoint) {
  http::ClientOptions options;
  options.idle_timeout = endpoint.timeout;
  options.most_bytes = kMostBytes;
  options.keys_in_the_clear = endpoint.keys_in_the_clear;
  options.proxies = http::proxy_policy_of_environment();
  return options;
}

// A server may repeat the key in what it says. In a stream it may come in pieces: an end that could
// be its beginning is held back until more has come.
class KeyRemover {
 public:
  explicit KeyRemover(std::string_view key) : key_(key) {}

  std::string push(std::string_view bytes) {
    if (key_.empty()) return std::string(bytes);
    std::string text = held_ + std::string(bytes);
    for (size_t at = text.find(key_); at != std::string::npos; at = text.find(key_, at)) {
      text.replace(at, key_.size(), kShown);
      at += kShown.size();
    }
    size_t held = std::min(text.size(), key_.size() - 1);
    while (held > 0 && !key_.starts_with(std::string_view(text).substr(text.size() - held))) --held;
    held_ = text.substr(text.size() - held);
    text.resize(text.size() - held);
    return text;
  }

  std::string finish() { return std::exchange(held_, {}); }

 private:
  static constexpr std::string_view kShown = "[key]";
  std::string_view key_;
  std::string held_;
};

class HttpTransport : public llm::ChatTransport {
 public:
  HttpTransport(const Endpoint& endpoint, EndpointRun run)
      : run_(std::move(run)), base_(base_of(endpoint.url)), client_(client_options(endpoint)) {}

  Answer get(const std::string& path, std::stop_token cancel) override {
    http::Request request;
    request.url = url(path);
    return send(request, {}, std::move(cancel));
  }

  Answer post(const std::string& path, const std::string& body,
              const std::function<void(std::string_view)>& on_bytes,
              std::stop_token cancel) override {
    http::Request request;
    request.method = "POST";
    request.url = url(path);
    request.headers = {{"Content-Type", "application/json"},
                       {"Accept", "text/event-stream, application/json"}};
    request.body = body;
    request.repeatable = true;  // a turn that nobody heard can be said again
    return send(request, on_bytes, std::move(cancel));
  }

  bool pause(int n, std::stop_token cancel) override {
    http::Retry retry(retries());
    std::optional<milliseconds> wait;
    for (int i = 0; i < n; ++i) {
      wait = retry.after(http::Error(http::ErrorKind::kBroken, ""), true);
    }
    const milliseconds time = wait.value_or(milliseconds(0));
    note("its reply broke off", time);
    return sleep(time, std::move(cancel));
  }

  std::string place() const override { return base_.place(); }

 private:
  std::string url(const std::string& path) const {
    return base_.origin() + (path.starts_with('/') ? path : base_.target + '/' + path);
  }

  static http::RetryOptions retries() {
    http::RetryOptions options;
    options.seed = std::random_device()();
    return options;
  }

  void note(const std::string& why, milliseconds wait) const {
    if (!run_.on_note) return;
    run_.on_note("the server at " + place() + ": " + without_key(why) + "; trying again in " +
                 std::to_string((wait.count() + 999) / 1000) + " s");
  }

  bool sleep(milliseconds time, std::stop_token cancel) const {
    return run_.retry.sleep ? run_.retry.sleep(time, cancel) : http::wait_for(time, cancel);
  }

  std::string without_key(const std::string& text) const {
    KeyRemover remover(run_.key);
    std::string out = remover.push(text);
    return out + remover.finish();
  }

  Answer send(http::Request request, const std::function<void(std::string_view)>& on_bytes,
              std::stop_token cancel) {
    if (!run_.key.empty()) request.headers.push_back({"Authorization", "Bearer " + run_.key});
    http::Retry retry(retries());
    while (true) {
      bool begun = false;
      std::optional<milliseconds> wait;
      std::string why;
      try {
        const http::Response response = once(request, on_bytes, &begun, cancel);
        const auto now = run_.retry.now ? run_.retry.now() : http::Retry::WallClock::now();
        wait = retry.after(response, true, now);
        if (!wait) return {response.status, without_key(response.body)};
        why = "status " + std::to_string(response.status);
      } catch (const http::Error& error) {
        if (begun) throw llm::StreamBroken(error.what());
        wait = retry.after(error, true);
        if (!wait) throw llm::Error("the endpoint does not answer: " + std::string(error.what()));
        why = error.what();
      }
      note(why, *wait);
      if (!sleep(*wait, cancel)) throw llm::Error("the request to " + place() + " was stopped");
    }
  }

  http::Response once(const http::Request& request,
                      const std::function<void(std::string_view)>& on_bytes, bool* begun,
                      const std::stop_token& cancel) {
    if (!on_bytes) return client_.send(request, cancel);
    KeyRemover remover(run_.key);
    http::Response response = client_.stream(
        request,
        [&](std::string_view bytes) {
          *begun = true;
          on_bytes(remover.push(bytes));
          return true;
        },
        cancel);
    if (*begun) on_bytes(remover.finish());
    return response;
  }

  EndpointRun run_;
  http::Url base_;
  http::Client client_;
};

}  // namespace

ordered_json to_json(const Endpoint& endpoint) {
  ordered_json json = {{"url", endpoint.url},
                       {"timeout_ms", endpoint.timeout.count()},
                       {"keys_in_the_clear", endpoint.keys_in_the_clear}};
  if (endpoint.model) json["model"] = to_utf8(*endpoint.model);
  if (endpoint.context) json["context"] = *endpoint.context;
  return json;
}

Endpoint endpoint_from(const ordered_json& json) {
  Endpoint endpoint;
  json.at("url").get_to(endpoint.url);
  endpoint.timeout = milliseconds(json.at("timeout_ms").get<int64_t>());
  json.at("keys_in_the_clear").get_to(endpoint.keys_in_the_clear);
  if (json.contains("model")) endpoint.model = json.at("model").get<std::string>();
  if (json.contains("context")) endpoint.context = json.at("context").get<int64_t>();
  return endpoint;
}

std::shared_ptr<llm::ChatTransport> http_transport(const Endpoint& endpoint, EndpointRun run) {
  try {
    return std::make_shared<HttpTransport>(endpoint, std::move(run));
  } catch (const http::Error& error) {
    throw llm::Error("--endpoint: " + std::string(error.what()));
  }
}

std::unique_ptr<llm::Conversation> open_endpoint(const Endpoint& endpoint, EndpointRun run,
                                                 std::stop_token cancel) {
  auto transport = http_transport(endpoint, std::move(run));
  const llm::ServedModel model =
      llm::find_served_model(*transport, endpoint.model, endpoint.context, std::move(cancel));
  llm::RemoteOptions options;
  options.model = model.name;
  options.window = model.window.value_or(options.window);
  options.steered = model.may_be_steered;
  return std::make_unique<llm::RemoteConversation>(std::move(transport), std::move(options));
}

}  // namespace dsv4::agent
