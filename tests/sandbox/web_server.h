#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <string_view>
#include <thread>

#include "sandbox/descriptor.h"
#include "tests/catch.h"

// A server outside of any box that answers every request with "hello from outside".
class WebServer {
 public:
  explicit WebServer(const char* address = "127.0.0.1") {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    REQUIRE(::inet_pton(AF_INET, address, &at.sin_addr) == 1);
    socklen_t size = sizeof at;
    sockaddr* name = reinterpret_cast<sockaddr*>(&at);
    REQUIRE(::bind(socket_.get(), name, size) == 0);
    REQUIRE(::listen(socket_.get(), 8) == 0);
    REQUIRE(::getsockname(socket_.get(), name, &size) == 0);
    port_ = ntohs(at.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~WebServer() {
    ::shutdown(socket_.get(), SHUT_RDWR);
    thread_.join();
  }
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;
  uint16_t port() const { return port_; }
  int requests() const { return requests_; }

 private:
  void serve() {
    for (;;) {
      const dsv4::sandbox::Descriptor client(
          ::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!client) return;
      char seen[4096];
      if (::recv(client.get(), seen, sizeof seen, 0) <= 0) continue;
      ++requests_;
      const std::string_view answer =
          "HTTP/1.1 200 OK\r\nContent-Length: 18\r\nConnection: close\r\n\r\nhello from outside";
      ::send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  }
  dsv4::sandbox::Descriptor socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  uint16_t port_ = 0;
  std::atomic<int> requests_ = 0;
  std::thread thread_;
};
