#include "agent/serve/http_server.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <utility>

#include "agent/error.h"
#include "agent/printable.h"
#include "agent/serve/connection.h"

namespace dsv4::agent::serve {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

asio::ip::address address_of(const std::string& host) {
  if (host == "localhost") return asio::ip::address_v4::loopback();
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error) {
    throw UsageError("--host " + printable_line(host, 100) +
                     ": give an address of this machine, such as 127.0.0.1 or 0.0.0.0");
  }
  return address;
}

}  // namespace

bool is_loopback(const std::string& host) { return address_of(host).is_loopback(); }

HttpServer::HttpServer(const HttpOptions& options)
    : options_(options), context_(1), acceptor_(context_), grace_(context_) {
  const tcp::endpoint endpoint(address_of(options.host), options.port);
  try {
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen();
  } catch (const boost::system::system_error& error) {
    const std::string place = options.host + " port " + std::to_string(options.port);
    if (error.code() == asio::error::address_in_use) {
      throw UsageError("another program listens on " + place +
                       ": name another port with --port, or 0 for one that is free");
    }
    throw UsageError("cannot listen on " + place + ": " + error.code().message());
  }
}

HttpServer::~HttpServer() = default;

uint16_t HttpServer::port() const { return acceptor_.local_endpoint().port(); }

std::string HttpServer::address() const {
  const auto address = acceptor_.local_endpoint().address();
  return address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
}

bool HttpServer::run(Service& service, std::stop_token stop) {
  asio::co_spawn(context_, accept(service), asio::detached);
  const std::stop_callback on_stop(stop,
                                   [this] { asio::post(context_, [this] { begin_stop(); }); });
  context_.run();
  return cut_;
}

asio::awaitable<void> HttpServer::accept(Service& service) {
  asio::steady_timer pause(context_);
  while (!stopping_) {
    boost::system::error_code error;
    tcp::socket socket =
        co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (stopping_) break;
    if (error) {  // out of descriptors, most often
      if (error == asio::error::connection_aborted || make_room()) continue;
      pause.expires_after(std::chrono::milliseconds(100));
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    auto connection = std::make_shared<Connection>(*this, service, std::move(socket), options_);
    const bool room = open_.size() < options_.connections || make_room();
    asio::co_spawn(context_, Connection::serve(std::move(connection), room), asio::detached);
  }
}

// Closes the connection that has waited longest for its client to ask: one that is idle, else one
// that is slow to say what it wants. A body may take longer than that.
bool HttpServer::make_room() {
  using Stage = Connection::Stage;
  const auto slow = std::chrono::steady_clock::now() - options_.header_time;
  Connection* first = nullptr;
  const auto goes_first = [&](const Connection* c) {
    if (c->stage() == Stage::kWhole || (c->stage() == Stage::kBody && c->since() > slow)) {
      return false;
    }
    return first == nullptr ||
           std::pair(c->stage(), c->since()) < std::pair(first->stage(), first->since());
  };
  for (Connection* connection : open_) {
    if (goes_first(connection)) first = connection;
  }
  if (first == nullptr) return false;
  open_.erase(first);
  first->close_unanswered();
  return true;
}

void HttpServer::begin_stop() {
  if (std::exchange(stopping_, true)) return;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (Connection* connection : open_) {
    if (connection->stage() == Connection::Stage::kIdle) connection->close_unanswered();
  }
  if (open_.empty()) return;
  grace_.expires_after(options_.grace);
  grace_.async_wait([this](const boost::system::error_code& error) {
    if (!error) cut();
  });
}

void HttpServer::cut() {
  for (Connection* connection : open_) {
    cut_ = true;
    connection->cut_off();
  }
}

}  // namespace dsv4::agent::serve
