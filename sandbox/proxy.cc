#include "sandbox/proxy.h"

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <optional>
#include <thread>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace dsv4::sandbox {
namespace {

using Error = boost::system::error_code;

struct Target {
  std::string host;
  uint16_t port = 0;
  bool tunnel = false;    // CONNECT
  std::string forwarded;  // of another request: what the server is sent
  std::string shown() const { return host + ":" + std::to_string(port); }
};

std::optional<uint16_t> port_in(std::string_view digits) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || port == 0) return {};
  return port;
}

// "host:port", "[address]:port", or without a port where there is one to fall back on.
bool split(std::string_view authority, std::optional<uint16_t> fallback, Target* target) {
  const size_t colon = authority.rfind(':');
  const bool bare = colon == std::string_view::npos || authority.back() == ']';
  const std::optional<uint16_t> port = bare ? fallback : port_in(authority.substr(colon + 1));
  target->host = authority.substr(0, bare ? authority.size() : colon);
  if (target->host.size() > 2 && target->host.front() == '[' && target->host.back() == ']') {
    target->host = target->host.substr(1, target->host.size() - 2);
  }
  target->port = port.value_or(0);
  return port.has_value() && !target->host.empty();
}

// What a request's head (to its empty line) asks for; nothing when it is not a proxy's business.
std::optional<Target> target_of(const std::string& head) {
  const size_t first = head.find(' ');
  const size_t second = first == std::string::npos ? first : head.find(' ', first + 1);
  if (second == std::string::npos || second > head.find("\r\n")) return std::nullopt;
  const std::string method = head.substr(0, first);
  const std::string_view address = std::string_view(head).substr(first + 1, second - first - 1);
  Target target;
  target.tunnel = method == "CONNECT";
  if (target.tunnel) return split(address, {}, &target) ? std::optional(target) : std::nullopt;
  constexpr std::string_view kScheme = "http://";
  if (!address.starts_with(kScheme)) return std::nullopt;
  const std::string_view rest = address.substr(kScheme.size());
  const size_t slash = std::min(rest.find('/'), rest.size());
  constexpr uint16_t kHttp = 80;
  if (!split(rest.substr(0, slash), kHttp, &target)) return std::nullopt;
  const std::string path = slash == rest.size() ? "/" : std::string(rest.substr(slash));
  target.forwarded = method + " " + path + head.substr(second);
  return target;
}

bool is_public(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return is_public(asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()));
  }
  if (address.is_loopback() || address.is_multicast() || address.is_unspecified()) return false;
  if (address.is_v6()) {
    const auto bytes = address.to_v6().to_bytes();
    return !address.to_v6().is_link_local() && (bytes[0] & 0xfe) != 0xfc;
  }
  const uint32_t bits = address.to_v4().to_uint();
  const auto in = [bits](uint32_t network, int length) {
    return (bits ^ network) >> (32 - length) == 0;
  };
  return !in(0x0a000000, 8) && !in(0xac100000, 12) && !in(0xc0a80000, 16) && !in(0xa9fe0000, 16) &&
         !in(0x64400000, 10) && !in(0, 8) && !in(0xf0000000, 4);
}

asio::awaitable<void> copy(std::shared_ptr<tcp::socket> from, std::shared_ptr<tcp::socket> to) {
  std::array<char, 32 << 10> some;
  Error error;
  while (!error) {
    const size_t n = co_await from->async_read_some(
        asio::buffer(some), asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
    co_await asio::async_write(*to, asio::buffer(some, n),
                               asio::redirect_error(asio::use_awaitable, error));
  }
  Error ignored;
  to->shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace

struct Proxy::Service {
  Service(Descriptor listener, std::vector<AllowedHost> hosts,
          std::function<void(const std::string&)> told)
      : allowed(std::move(hosts)),
        log(std::move(told)),
        acceptor(loop, tcp::v4(), listener.release()) {
    asio::co_spawn(loop, serve(), asio::detached);
    thread = std::thread([this] { loop.run(); });
  }
  ~Service() {
    loop.stop();
    thread.join();
  }

  void say(const std::string& what, const Target& target) const {
    if (log) log(what + " " + target.shown());
  }

  asio::awaitable<void> refuse(tcp::socket& client, const std::string& status,
                               const std::string& why) const {
    const std::string body = why + "\n";
    const std::string text = "HTTP/1.1 " + status + "\r\nContent-Type: text/plain\r\n" +
                             "Content-Length: " + std::to_string(body.size()) +
                             "\r\nConnection: close\r\n\r\n" + body;
    Error ignored;
    co_await asio::async_write(client, asio::buffer(text),
                               asio::redirect_error(asio::use_awaitable, ignored));
  }

  // Connected, or nothing and `why`.
  asio::awaitable<std::shared_ptr<tcp::socket>> reach(const Target& target, std::string* why) {
    Error error;
    tcp::resolver resolver(loop);
    const auto found = co_await resolver.async_resolve(
        target.host, std::to_string(target.port), asio::redirect_error(asio::use_awaitable, error));
    Error not_literal;
    asio::ip::make_address(target.host, not_literal);
    auto server = std::make_shared<tcp::socket>(loop);
    *why = "it cannot be resolved";
    for (const auto& entry : found) {
      *why = "it is an address of this machine or of a private network";
      if (not_literal && !is_public(entry.endpoint().address())) continue;
      server->close(error);
      co_await server->async_connect(entry.endpoint(),
                                     asio::redirect_error(asio::use_awaitable, error));
      if (!error) co_return server;
      *why = error.message();
    }
    co_return nullptr;
  }

  asio::awaitable<void> session(tcp::socket accepted) {
    auto client = std::make_shared<tcp::socket>(std::move(accepted));
    constexpr size_t kLongestHead = 64 << 10;
    std::string head;
    Error error;
    const size_t size = co_await asio::async_read_until(
        *client, asio::dynamic_buffer(head, kLongestHead), "\r\n\r\n",
        asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    const std::string more = head.substr(size);
    const std::optional<Target> target = target_of(head.substr(0, size));
    if (!target) {
      co_return co_await refuse(*client, "400 Bad Request", "not a request to a proxy");
    }
    if (!is_allowed(allowed, target->host, target->port)) {
      say("refused", *target);
      co_return co_await refuse(*client, "403 Forbidden",
                                "the sandbox does not allow " + target->shown());
    }
    std::string why;
    const std::shared_ptr<tcp::socket> server = co_await reach(*target, &why);
    if (!server) {
      say("failed (" + why + ")", *target);
      co_return co_await refuse(*client, "502 Bad Gateway",
                                "cannot reach " + target->shown() + ": " + why);
    }
    say("allowed", *target);
    const std::string established = "HTTP/1.1 200 Connection established\r\n\r\n";
    if (target->tunnel) {
      co_await asio::async_write(*client, asio::buffer(established),
                                 asio::redirect_error(asio::use_awaitable, error));
    }
    const std::string first = target->forwarded + more;
    co_await asio::async_write(*server, asio::buffer(first),
                               asio::redirect_error(asio::use_awaitable, error));
    asio::co_spawn(loop, copy(client, server), asio::detached);
    co_await copy(server, client);
  }

  asio::awaitable<void> serve() {
    for (Error error; !error;) {
      tcp::socket client =
          co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
      if (!error) asio::co_spawn(loop, session(std::move(client)), asio::detached);
    }
  }

  asio::io_context loop{1};
  std::vector<AllowedHost> allowed;
  std::function<void(const std::string&)> log;
  tcp::acceptor acceptor;
  std::thread thread;
};

Proxy::Proxy(Descriptor listener, std::vector<AllowedHost> allowed,
             std::function<void(const std::string&)> log)
    : service_(std::make_unique<Service>(std::move(listener), std::move(allowed), std::move(log))) {
}
Proxy::~Proxy() = default;

}  // namespace dsv4::sandbox
