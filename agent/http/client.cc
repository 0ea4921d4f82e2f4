#include "agent/http/client.h"

#include <algorithm>
#include <array>
#include <boost/asio/ssl/context.hpp>
#include <boost/beast/core/string.hpp>
#include <mutex>

#include "agent/http/reply_reader.h"
#include "agent/http/wire.h"

namespace dsv4::http {
namespace {

using Clock = Deadlines::Clock;

constexpr size_t kMostIdle = 16;
// Servers and the boxes between hang up on a silent connection, and not all of them say so.
constexpr std::chrono::seconds kIdleAge{30};

bool same_name(std::string_view a, std::string_view b) {
  return boost::beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

bool holds_a_key(const Header& header) {
  constexpr std::array names{"authorization", "proxy-authorization", "cookie", "api-key",
                             "x-api-key"};
  return std::any_of(names.begin(), names.end(),
                     [&](const char* name) { return same_name(header.name, name); });
}

bool has_header(const Request& request, std::string_view name) {
  return std::any_of(request.headers.begin(), request.headers.end(),
                     [&](const Header& header) { return same_name(header.name, name); });
}

bool token_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

// Nothing that would end a line, and with it the header, early.
void check(const Request& request) {
  const auto token = [](const std::string& text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), token_character);
  };
  if (!token(request.method)) throw Error(ErrorKind::kRequest, "the request has no valid method");
  for (const Header& header : request.headers) {
    if (!token(header.name)) {
      throw Error(ErrorKind::kRequest, "a header of the request has no valid name");
    }
    const auto bad = [](char c) {
      return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
    };
    if (std::any_of(header.value.begin(), header.value.end(), bad)) {
      throw Error(ErrorKind::kRequest, "the value of the header " + header.name +
                                           " holds a line break or another control character");
    }
  }
}

std::string header_text(const Request& request, const Url& url, const std::optional<Url>& proxy,
                        const std::string& user_agent) {
  const bool whole_url = proxy && !url.https;
  std::string out =
      request.method + ' ' + (whole_url ? url.origin() : "") + url.target + " HTTP/1.1\r\n";
  const auto add = [&](std::string_view name, const std::string& value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  if (!has_header(request, "host")) add("Host", url.authority());
  if (!has_header(request, "user-agent")) add("User-Agent", user_agent);
  if (!has_header(request, "accept-encoding")) add("Accept-Encoding", "identity");
  for (const Header& header : request.headers) add(header.name, header.value);
  const bool bodied = request.method == "POST" || request.method == "PUT" ||
                      request.method == "PATCH" || !request.body.empty();
  if (bodied && !has_header(request, "content-length")) {
    add("Content-Length", std::to_string(request.body.size()));
  }
  return out + "\r\n";
}

boost::asio::ssl::context make_trust(const std::optional<std::string>& ca_file) {
  boost::asio::ssl::context trust(boost::asio::ssl::context::tls_client);
  boost::system::error_code error;
  if (ca_file) {
    trust.load_verify_file(*ca_file, error);
    if (error) {
      throw Error(ErrorKind::kTls,
                  *ca_file + ": holds no certificates that can be read (PEM): " + error.message());
    }
  } else {
    trust.set_default_verify_paths(error);
  }
  SSL_CTX_set_min_proto_version(trust.native_handle(), TLS1_2_VERSION);
  trust.set_verify_mode(boost::asio::ssl::verify_peer);
  return trust;
}

bool same_server(const Url& a, const Url& b) {
  return a.https == b.https && a.host == b.host && a.port == b.port;
}

}  // namespace

bool Request::is_repeatable() const {
  if (repeatable) return *repeatable;
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" ||
         method == "OPTIONS";
}

std::optional<std::string_view> Response::header(std::string_view name) const {
  for (const Header& each : headers) {
    if (same_name(each.name, name)) return each.value;
  }
  return std::nullopt;
}

class Client::Impl {
 public:
  explicit Impl(ClientOptions options)
      : options_(std::move(options)), trust_(make_trust(options_.ca_file)) {}

  Response run(Request request, const OnBytes& on_bytes, std::stop_token cancel) {
    check(request);
    Url url = parse_url(request.url);
    std::optional<Clock::time_point> end;
    if (options_.total_timeout.count() > 0) end = Clock::now() + options_.total_timeout;
    for (int redirects = 0;; ++redirects) {
      refuse_keys_in_the_clear(request, url);
      Response response = once(request, url, on_bytes, end, cancel);
      const std::optional<Url> next = redirected(request, url, response);
      if (!next) return response;
      if (redirects == options_.most_redirects) {
        throw Error(ErrorKind::kProtocol, url.place() + " redirects in circles", true);
      }
      if (!same_server(url, *next)) std::erase_if(request.headers, holds_a_key);
      url = *next;
    }
  }

 private:
  struct Idle {
    std::unique_ptr<Wire> wire;
    Clock::time_point since;
  };

  void refuse_keys_in_the_clear(const Request& request, const Url& url) const {
    if (url.https || options_.keys_in_the_clear || is_loopback(url.host)) return;
    if (std::none_of(request.headers.begin(), request.headers.end(), holds_a_key)) return;
    throw Error(ErrorKind::kRequest,
                "a key for " + url.place() + " would be sent unencrypted: use an https:// URL");
  }

  // Where the reply sends the request, when it may follow.
  static std::optional<Url> redirected(const Request& request, const Url& url,
                                       const Response& response) {
    const int status = response.status;
    const bool reads = request.method == "GET" || request.method == "HEAD";
    const bool as_it_is = status == 307 || status == 308;
    if (!as_it_is && !(reads && status >= 301 && status <= 303)) return std::nullopt;
    const auto location = response.header("location");
    if (!location) return std::nullopt;
    Url next = follow(url, *location);
    if (url.https && !next.https) return std::nullopt;
    if (!reads && !same_server(url, next)) return std::nullopt;
    return next;
  }

  Response once(const Request& request, const Url& url, const OnBytes& on_bytes,
                std::optional<Clock::time_point> end, const std::stop_token& cancel) {
    const std::optional<Url> proxy = options_.proxies.proxy(url);
    Deadlines deadlines;
    deadlines.idle = options_.idle_timeout;
    deadlines.total = end;
    if (std::unique_ptr<Wire> wire = idle(url, proxy)) {
      bool begun = false;
      const OnBytes noting = [&](std::string_view bytes) {
        begun = true;
        return on_bytes(bytes);
      };
      try {
        return exchange(std::move(wire), request, url, deadlines, on_bytes ? noting : on_bytes,
                        cancel);
      } catch (const Error& error) {
        // The server hung up on the idle connection as the request was on its way.
        if (error.kind() != ErrorKind::kBroken || begun || !request.is_repeatable()) throw;
      }
    }
    return exchange(std::make_unique<Wire>(url, proxy), request, url, deadlines, on_bytes, cancel);
  }

  Response exchange(std::unique_ptr<Wire> wire, const Request& request, const Url& url,
                    Deadlines deadlines, const OnBytes& on_bytes, const std::stop_token& cancel) {
    deadlines.connect = Clock::now() + options_.connect_timeout;
    // Ends before the wire is gone, whatever is thrown.
    struct Session {
      Wire& wire;
      bool open = true;
      bool end() {
        open = false;
        return wire.end();
      }
      ~Session() {
        if (open) wire.end();
      }
    };
    wire->begin(deadlines, cancel);
    Session session{*wire};
    if (!wire->connected()) wire->open(trust_);
    wire->write(header_text(request, url, wire->proxy(), options_.user_agent));
    wire->write(request.body);
    ReadReply reply = read_reply(*wire, {request.method == "HEAD", options_.most_bytes}, on_bytes);
    const bool reusable = session.end();
    if (reusable && reply.keep_alive) keep(std::move(wire));
    return std::move(reply.response);
  }

  std::unique_ptr<Wire> idle(const Url& url, const std::optional<Url>& proxy) {
    const std::lock_guard lock(mutex_);
    const Clock::time_point oldest = Clock::now() - kIdleAge;
    std::erase_if(idle_, [&](const Idle& each) { return each.since < oldest; });
    const auto same_proxy = [&](const std::optional<Url>& other) {
      if (!proxy || !other) return !proxy && !other;
      return same_server(*proxy, *other) && proxy->user == other->user;
    };
    // The newest first; those that the server has closed meanwhile are dropped.
    for (size_t i = idle_.size(); i-- > 0;) {
      if (!same_server(idle_[i].wire->server(), url) || !same_proxy(idle_[i].wire->proxy())) {
        continue;
      }
      std::unique_ptr<Wire> wire = std::move(idle_[i].wire);
      idle_.erase(idle_.begin() + static_cast<std::ptrdiff_t>(i));
      if (wire->quiet()) return wire;
    }
    return nullptr;
  }

  void keep(std::unique_ptr<Wire> wire) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() == kMostIdle) idle_.erase(idle_.begin());
    idle_.push_back({std::move(wire), Clock::now()});
  }

  ClientOptions options_;
  boost::asio::ssl::context trust_;
  std::mutex mutex_;
  std::vector<Idle> idle_;  // oldest first
};

Client::Client(ClientOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Response Client::send(const Request& request, std::stop_token cancel) {
  return impl_->run(request, {}, std::move(cancel));
}

Response Client::stream(const Request& request, const OnBytes& on_bytes, std::stop_token cancel) {
  return impl_->run(request, on_bytes, std::move(cancel));
}

}  // namespace dsv4::http
