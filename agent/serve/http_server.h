#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <set>
#include <stop_token>
#include <string>

#include "agent/serve/http.h"

namespace dsv4::agent::serve {

class Connection;

// HTTP/1.1 on one thread. Everything a client does has a limit: connections, bytes, time.
class HttpServer {
 public:
  // Listens. Throws UsageError when the address is none of this machine's or the port is taken.
  explicit HttpServer(const HttpOptions& options);
  ~HttpServer();

  uint16_t port() const;
  std::string address() const;  // such as 127.0.0.1 or [::1]
  // Whatever the service does with asio belongs here.
  boost::asio::io_context& context() { return context_; }
  int64_t connections() const { return static_cast<int64_t>(open_.size()); }

  // Serves until `stop` fires: then nothing new is accepted, what runs has the time of grace, and
  // what is left after it is cut. Returns whether something was.
  bool run(Service& service, std::stop_token stop);

 private:
  friend class Connection;
  boost::asio::awaitable<void> accept(Service& service);
  bool make_room();
  void begin_stop();
  void cut();

  HttpOptions options_;
  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer grace_;
  std::set<Connection*> open_;
  bool stopping_ = false;
  bool cut_ = false;
};

// Whether an address cannot be reached from other machines.
bool is_loopback(const std::string& host);

}  // namespace dsv4::agent::serve
