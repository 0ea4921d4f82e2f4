#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "agent/http/error.h"
#include "agent/http/url.h"

namespace dsv4::http {

// Time limits of one request, all of which end it.
struct Deadlines {
  using Clock = std::chrono::steady_clock;
  Clock::time_point connect;  // the connection, TLS included, stands by then
  std::chrono::milliseconds idle{0};
  std::optional<Clock::time_point> total;
};

// One connection to a server, directly or through a proxy, with TLS for https: blocking calls that
// keep time limits and end when they are told to stop. Each has its own event loop. Not
// thread-safe.
class Wire {
 public:
  Wire(Url server, std::optional<Url> proxy);

  // Between begin() and end() the stop token ends what is being done.
  void begin(const Deadlines& deadlines, std::stop_token cancel);
  // False when the connection can serve no other request.
  bool end();

  // Throws Error: kResolve, kConnect, kTls, kTimeout, kCancelled, kBroken.
  void open(boost::asio::ssl::context& trust);
  // Throws Error: kTimeout, kCancelled, kBroken.
  void write(std::string_view bytes);
  // 0 at the end of the stream.
  size_t read_some(char* to, size_t size);
  bool connected() const { return !connecting_; }
  // The request's first byte has gone out.
  bool sent() const { return sent_; }

  // An idle connection is still open, and nobody speaks on it unasked.
  bool quiet();
  const Url& server() const { return server_; }
  const std::optional<Url>& proxy() const { return proxy_; }

 private:
  template <typename Start>
  boost::system::error_code wait(std::chrono::steady_clock::time_point by, const Start& start);
  template <typename Start>
  boost::system::error_code wait_in_request(const Start& start);
  void connect(const Url& to);
  void ask_proxy();
  void handshake(boost::asio::ssl::context& trust);
  void close();
  [[noreturn]] void fail(const std::string& what, const boost::system::error_code& error,
                         ErrorKind kind = ErrorKind::kBroken);

  Url server_;
  std::optional<Url> proxy_;
  boost::asio::io_context io_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  std::optional<boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>> tls_;
  Deadlines deadlines_;
  std::stop_token cancel_;
  std::optional<std::stop_callback<std::function<void()>>> on_cancel_;
  bool connecting_ = true;
  bool cancelled_ = false;
  bool timed_out_ = false;
  bool sent_ = false;
};

}  // namespace dsv4::http
