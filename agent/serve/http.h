#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace dsv4::agent::serve {

// What a request's first lines say. Names of headers that are not there are empty.
struct RequestHead {
  std::string method;
  std::string path;  // without what comes after '?'
  std::string host;
  std::string origin;
  std::string authorization;
  std::string content_type;
};

struct HttpReply {
  int status = 200;
  std::string body;
  std::string type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;  // further ones
};

// One request and the way back to its client. Lives in the server's thread. What is awaited throws
// boost::system::system_error when the client has left or is too slow.
class Exchange {
 public:
  template <class T>
  using Awaitable = boost::asio::awaitable<T>;

  virtual ~Exchange() = default;
  virtual const RequestHead& head() const = 0;
  virtual const std::string& body() const = 0;
  virtual std::chrono::steady_clock::time_point arrived() const = 0;

  // Fires when the client has left, or the server cannot wait any longer.
  virtual std::stop_token left() const = 0;
  // Whether it was the server.
  virtual bool cut_off() const = 0;

  // Either one reply, or events: begin, any number of sends, end.
  virtual Awaitable<void> reply(HttpReply reply) = 0;
  virtual Awaitable<void> begin_events() = 0;
  virtual Awaitable<void> send(const std::string& events) = 0;
  virtual Awaitable<void> end_events() = 0;
};

// What the server serves. Lives in its thread.
class Service {
 public:
  virtual ~Service() = default;
  // Whether a request is refused before its body is read; `stopping` when the server will not take
  // new work.
  virtual std::optional<HttpReply> refuse(const RequestHead& head, bool stopping) = 0;
  // A reply for what goes wrong before there is a whole request.
  virtual HttpReply trouble(int status, const std::string& sentence) = 0;
  virtual boost::asio::awaitable<void> answer(Exchange& exchange) = 0;
  // Every reply's status is counted, by path.
  virtual void answered(const std::string& path, int status) = 0;
};

struct HttpOptions {
  std::string host = "127.0.0.1";  // an address, or localhost
  uint16_t port = 0;               // 0: any that is free
  size_t connections = 128;        // at the same time; more are turned away
  uint32_t header_bytes = 16 << 10;
  uint64_t body_bytes = 1 << 20;
  std::chrono::milliseconds header_time{10'000};  // until the whole header has come
  std::chrono::milliseconds body_time{60'000};    // and the whole body
  std::chrono::milliseconds idle_time{75'000};    // between two requests
  std::chrono::milliseconds write_time{60'000};   // until a client takes what is sent
  std::chrono::milliseconds grace{10'000};        // for what runs when the server is stopped
};

}  // namespace dsv4::agent::serve
