#include "agent/serve/chat_service.h"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <new>
#include <utility>

#include "agent/printable.h"
#include "llm/error.h"
#include "llm/serve/chat_request.h"

namespace dsv4::agent::serve {

namespace asio = boost::asio;
using llm::serve::Delta;
using llm::serve::error_body;
using llm::serve::Refused;
using llm::serve::ResponseWriter;
using llm::serve::TurnEnd;

namespace {

// A stream that says nothing for so long gets a comment, so that proxies keep it open.
constexpr std::chrono::seconds kQuiet{10};

constexpr const char* kStopping = "the server is being stopped";

struct Route {
  std::string_view method, path;
  bool generates = false;
};
constexpr std::array kRoutes = {Route{"POST", "/v1/chat/completions", true},
                                Route{"POST", "/v1/completions", true}, Route{"GET", "/v1/models"},
                                Route{"GET", "/health"}, Route{"GET", "/metrics"}};

const Route* route_of(std::string_view path) {
  const auto found = std::find_if(kRoutes.begin(), kRoutes.end(),
                                  [&](const Route& route) { return route.path == path; });
  return found == kRoutes.end() ? nullptr : &*found;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

// Of a Host or an Origin: the name alone, without scheme and port.
std::string_view name_of(std::string_view text) {
  const size_t scheme = text.find("://");
  if (scheme != std::string_view::npos) text.remove_prefix(scheme + 3);
  const size_t port = text.rfind(':');
  const bool digits = port != std::string_view::npos &&
                      text.find_first_not_of("0123456789", port + 1) == std::string_view::npos;
  return digits && !text.ends_with(']') ? text.substr(0, port) : text;
}

// An address in full: whoever owns 127.example.com may let it mean this machine.
bool names_this_machine(std::string_view text) {
  const std::string name = lower(name_of(text));
  if (name == "localhost" || name == "[::1]") return true;
  boost::system::error_code error;
  const auto address = asio::ip::make_address_v4(name, error);
  return !error && address.is_loopback();
}

bool is_json(std::string_view content_type) {
  const std::string type = lower(content_type.substr(0, content_type.find(';')));
  return type.substr(0, type.find_last_not_of(" \t") + 1) == "application/json";
}

HttpReply error_reply(int status, const std::string& message, const std::string& code = "") {
  HttpReply reply;
  reply.status = status;
  reply.body = error_body(status, message, "", code);
  return reply;
}

std::string event(const std::string& data) { return "data: " + data + "\n\n"; }

}  // namespace

// Held by a request that is computed or waits.
class ChatService::Place {
 public:
  explicit Place(ChatService& service) : service_(service) { ++service_.present_; }
  ~Place() { --service_.present_; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  ChatService& service_;
};

ChatService::ChatService(std::unique_ptr<llm::serve::Engine> engine, HttpServer& server,
                         ServiceOptions options)
    : server_(server),
      options_(std::move(options)),
      created_(std::chrono::duration_cast<std::chrono::seconds>(
                   std::chrono::system_clock::now().time_since_epoch())
                   .count()),
      mailroom_(server.context()),
      random_(std::random_device{}()),
      engine_(std::move(engine)) {
  engine_->on_told([this] { mailroom_.deliver(); });
}

ChatService::~ChatService() { readers_.join(); }

HttpReply ChatService::trouble(int status, const std::string& sentence) {
  return error_reply(status, sentence);
}

// Without a key, a page that a browser on this machine shows must not be able to ask.
std::optional<HttpReply> ChatService::refuse_caller(const RequestHead& head) const {
  if (options_.key) {
    const auto offered = bearer(head.authorization);
    if (offered && options_.key->matches(*offered)) return std::nullopt;
    HttpReply reply = error_reply(
        401,
        offered ? "the key is not this server's" : "a key is needed: Authorization: Bearer KEY",
        "invalid_api_key");
    reply.headers.emplace_back("WWW-Authenticate", "Bearer");
    return reply;
  }
  if (!head.host.empty() && !names_this_machine(head.host)) {
    return error_reply(403,
                       "the server has no key, so it answers only to names of this machine, "
                       "not to " +
                           printable_line(head.host, 100));
  }
  if (!head.origin.empty() && !names_this_machine(head.origin)) {
    return error_reply(403, "the server has no key, so it does not answer to pages of " +
                                printable_line(head.origin, 100));
  }
  return std::nullopt;
}

HttpReply ChatService::busy() const {
  HttpReply reply = error_reply(
      429, std::to_string(present_) + " requests are computed or wait already: try again later",
      "rate_limit_exceeded");
  reply.headers.emplace_back("Retry-After", "1");
  return reply;
}

std::optional<HttpReply> ChatService::refuse(const RequestHead& head, bool stopping) {
  const Route* route = route_of(head.path);
  if (!route || route->path != "/health") {
    if (auto refusal = refuse_caller(head)) return refusal;
  }
  if (!route) {
    return error_reply(404, "there is no " + printable_line(head.path, 100) + " here",
                       "unknown_url");
  }
  if (head.method != route->method && !(route->method == "GET" && head.method == "HEAD")) {
    HttpReply reply = error_reply(
        405, std::string(route->path) + " is for " + std::string(route->method) + " requests");
    reply.headers.emplace_back("Allow", std::string(route->method));
    return reply;
  }
  if (!route->generates) return std::nullopt;
  if (!is_json(head.content_type)) {
    return error_reply(415, "the body must be application/json");
  }
  if (stopping) return error_reply(503, kStopping);
  if (present_ >= options_.most_running + options_.most_waiting) return busy();
  return std::nullopt;
}

asio::awaitable<void> ChatService::answer(Exchange& exchange) {
  const std::string& path = exchange.head().path;
  HttpReply reply;
  if (route_of(path)->generates) {
    co_await generate(exchange, path == "/v1/chat/completions");
    co_return;
  }
  if (path == "/metrics") {
    reply = metrics_page();
  } else if (path == "/health") {
    reply.body = "{\"status\":\"ok\"}";
  } else {
    reply.body = llm::serve::models_body(options_.model, engine_->model().window, created_);
  }
  co_await exchange.reply(std::move(reply));
}

void ChatService::answered(const std::string& path, int status) {
  metrics_.answered(route_of(path) ? path : "other", status);
}

HttpReply ChatService::metrics_page() const {
  const llm::serve::EngineState state = engine_->state();
  Gauges gauges;
  gauges.connections = server_.connections();
  gauges.running = state.running;
  gauges.queued = std::max<int64_t>(0, present_ - state.running);
  gauges.contexts = state.kept;
  gauges.bytes = state.bytes;
  gauges.passes = state.passes;
  HttpReply reply;
  reply.type = "text/plain; version=0.0.4; charset=utf-8";
  reply.body = metrics_.text(gauges);
  return reply;
}

std::string ChatService::new_id() {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string id;
  for (int i = 0; i < 24; ++i) id += kDigits[random_() % kDigits.size()];
  return id;
}

asio::awaitable<void> ChatService::generate(Exchange& exchange, bool chat) {
  if (present_ >= options_.most_running + options_.most_waiting) {
    HttpReply reply = busy();
    co_await exchange.reply(std::move(reply));
    co_return;
  }
  const Place place(*this);
  std::optional<HttpReply> refusal;
  std::optional<Asked> asked;
  try {
    asked = co_await asio::co_spawn(
        readers_,
        [&]() -> asio::awaitable<Asked> {
          co_return chat ? read_chat(exchange.body()) : read_completion(exchange.body());
        },
        asio::use_awaitable);
  } catch (const Refused& error) {
    refusal.emplace();
    refusal->status = error.status();
    refusal->body = error_body(error);
  } catch (const llm::Error& error) {
    refusal = error_reply(500, error.what());
  } catch (const std::bad_alloc&) {
    refusal = error_reply(503, "the server has run out of memory");
  }
  if (refusal) {
    co_await exchange.reply(*std::move(refusal));
    co_return;
  }
  const bool streams = asked->stream;
  const bool usage = asked->usage;
  ResponseWriter writer(chat ? ResponseWriter::Kind::kChat : ResponseWriter::Kind::kCompletion,
                        new_id(), std::time(nullptr), asked->model, usage, asked->tokens_as_ids);
  const auto mail =
      std::make_shared<TurnMail>(mailroom_, server_.context(), metrics_, exchange.arrived());
  asked->turn.sink = mail;
  asked->turn.cancel = exchange.left();
  if (!asked->seeded) asked->turn.sampling.seed = random_();
  engine_->submit(std::move(asked->turn));
  if (streams) {
    co_await stream(exchange, *mail, writer, usage);
  } else {
    co_await whole(exchange, *mail, writer);
  }
}

asio::awaitable<void> ChatService::whole(Exchange& exchange, TurnMail& mail,
                                         ResponseWriter& writer) {
  Delta all;
  for (;;) {
    TurnMail::News news = co_await mail.wait(kQuiet);
    all.reasoning += news.delta.reasoning;
    all.content += news.delta.content;
    for (llm::ToolCall& call : news.delta.calls) all.calls.push_back(std::move(call));
    for (auto& token : news.delta.tokens) all.tokens.push_back(std::move(token));
    if (!news.end) continue;
    const bool cancelled = *news.end == TurnEnd::kCancelled;
    if (cancelled && !exchange.cut_off()) co_return;  // nobody is there
    HttpReply reply;
    if (cancelled || *news.end == TurnEnd::kFailed) {
      reply = failure(news);
    } else {
      reply.body = writer.whole(all, *news.end, news.usage, news.places);
    }
    co_await exchange.reply(std::move(reply));
    co_return;
  }
}

// What a turn that was cut short or failed is answered with.
HttpReply ChatService::failure(const TurnMail::News& news) {
  if (news.end == TurnEnd::kFailed) return error_reply(500, news.error);
  return error_reply(503, kStopping);
}

// The events that tell some news.
std::string ChatService::events(const TurnMail::News& news, ResponseWriter& writer, bool usage) {
  std::string out;
  if (!news.delta.empty()) out += event(writer.more(news.delta));
  if (!news.end) return out;
  if (*news.end == TurnEnd::kFailed || *news.end == TurnEnd::kCancelled) {
    return out + event(failure(news).body);
  }
  out += event(writer.last(*news.end, news.places));
  if (usage) out += event(writer.usage(news.usage));
  return out + event("[DONE]");
}

asio::awaitable<void> ChatService::stream(Exchange& exchange, TurnMail& mail,
                                          ResponseWriter& writer, bool usage) {
  bool begun = false;
  for (;;) {
    const TurnMail::News news = co_await mail.wait(kQuiet);
    const bool cancelled = news.end == TurnEnd::kCancelled;
    if (cancelled && !exchange.cut_off()) co_return;  // nobody is there
    if (!begun && (cancelled || news.end == TurnEnd::kFailed)) {
      HttpReply reply = failure(news);
      co_await exchange.reply(std::move(reply));
      co_return;
    }
    std::string out;
    if (!begun) {
      begun = true;
      co_await exchange.begin_events();
      const std::string first = writer.first();
      if (!first.empty()) out = event(first);
    }
    out += events(news, writer, usage);
    if (out.empty()) out = ": still at it\n\n";
    co_await exchange.send(out);
    if (!news.end) continue;
    co_await exchange.end_events();
    co_return;
  }
}

}  // namespace dsv4::agent::serve
