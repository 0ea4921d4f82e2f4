#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/llm/chat_server.h"

// A server of chat completions on a real socket of this machine: chat_server::Act for every
// request, in the threads of this process.
class ChatSocket {
 public:
  using OnPost = std::function<chat_server::Act(const nlohmann::ordered_json& request)>;

  explicit ChatSocket(OnPost on_post) : on_post_(std::move(on_post)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("no socket to listen on");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }

  ~ChatSocket() {
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    ::close(listener_);
    for (std::thread& thread : threads_) thread.join();
  }
  ChatSocket(const ChatSocket&) = delete;
  ChatSocket& operator=(const ChatSocket&) = delete;

  // First lines and headers of all requests so far.
  std::string heads() {
    const std::lock_guard lock(mutex_);
    return heads_;
  }

  std::string port() const { return std::to_string(port_); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/v1"; }

 private:
  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      threads_.emplace_back([this, fd] {
        serve(fd);
        ::close(fd);
      });
    }
  }

  static void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
      const ssize_t done = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
      if (done <= 0) return;
      text.remove_prefix(static_cast<size_t>(done));
    }
  }

  // One request on one connection.
  void serve(int fd) {
    std::string in;
    size_t head = std::string::npos;
    size_t length = 0;
    char piece[65536];
    while (head == std::string::npos || in.size() < head + 4 + length) {
      const ssize_t got = ::recv(fd, piece, sizeof piece, 0);
      if (got <= 0) return;
      in.append(piece, static_cast<size_t>(got));
      if (head == std::string::npos && (head = in.find("\r\n\r\n")) != std::string::npos) {
        const size_t field = in.find("Content-Length: ");
        if (field < head) length = std::stoul(in.substr(field + 16));
      }
    }
    {
      const std::lock_guard lock(mutex_);
      heads_ += in.substr(0, head + 2);
    }
    const std::string models = R"({"data": [{"id": "tiny", "max_model_len": 100000}]})";
    if (in.starts_with("GET /v1/models ")) {
      return write_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(models.size()) +
                               "\r\nConnection: close\r\n\r\n" + models);
    }
    if (in.starts_with("GET ")) {
      return write_all(fd,
                       "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    chat_server::Act act;
    try {
      const std::lock_guard lock(mutex_);
      act = on_post_(nlohmann::ordered_json::parse(in.substr(head + 4)));
    } catch (const std::exception& error) {
      act = {400, "{\"error\": {\"message\": \"" + std::string(error.what()) + "\"}}", false};
    }
    const std::string status = std::to_string(act.status);
    if (act.status != 200) {
      return write_all(fd, "HTTP/1.1 " + status +
                               " Error\r\nContent-Length: " + std::to_string(act.body.size()) +
                               "\r\nConnection: close\r\n\r\n" + act.body);
    }
    char size[32];
    std::snprintf(size, sizeof size, "%zx", act.body.size());
    write_all(fd,
              "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"
              "Transfer-Encoding: chunked\r\n\r\n" +
                  std::string(size) + "\r\n" + act.body + "\r\n" + (act.breaks ? "" : "0\r\n\r\n"));
  }

  OnPost on_post_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::mutex mutex_;
  std::string heads_;
  std::thread acceptor_;
  std::vector<std::thread> threads_;
};
