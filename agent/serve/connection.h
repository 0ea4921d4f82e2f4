#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>

#include "agent/serve/http.h"

namespace dsv4::agent::serve {

class HttpServer;

// One client. All of it happens in the server's thread.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(HttpServer& server, Service& service, boost::asio::ip::tcp::socket socket,
             const HttpOptions& options);
  ~Connection();

  // Answers requests until the client leaves; without room none, since there are too many clients.
  static boost::asio::awaitable<void> serve(std::shared_ptr<Connection> self, bool room);

  // How much of a request there is. Who has sent less is closed first where there are too many.
  enum class Stage { kIdle, kHeader, kBody, kWhole };
  Stage stage() const;
  // When that stage began.
  std::chrono::steady_clock::time_point since() const;

  // Closes it unless a request is being answered.
  void close_unanswered();
  // Whatever is answered now is cut short.
  void cut_off();

 private:
  class Wire;    // keeps Beast in one file
  class Listed;  // among the server's while it runs
  boost::asio::awaitable<void> run();
  HttpServer& server_;
  std::unique_ptr<Wire> wire_;
};

}  // namespace dsv4::agent::serve
