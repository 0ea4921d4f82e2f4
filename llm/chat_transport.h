#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "llm/error.h"

namespace dsv4::llm {

// The connection broke off after the reply had begun: what came is not all of it.
class StreamBroken : public Error {
 public:
  using Error::Error;
};

// How requests get to a server. Threads may use one at the same time. A path without a slash in
// front is below the endpoint ("chat/completions"); with one it is below the server's root.
class ChatTransport {
 public:
  virtual ~ChatTransport() = default;

  struct Answer {
    int status = 0;
    std::string body;  // of a GET, and of any status but 2xx

    bool ok() const { return status >= 200 && status < 300; }
  };

  // Both try again by themselves while that can help and nothing of a reply was handed out. Throw
  // Error with a sentence when there is no answer, also when the stop token fired.
  virtual Answer get(const std::string& path, std::stop_token cancel) = 0;
  // The body of a status of 2xx goes to `on_bytes` as it comes. Throws StreamBroken when it does
  // not come to its end.
  virtual Answer post(const std::string& path, const std::string& body,
                      const std::function<void(std::string_view)>& on_bytes,
                      std::stop_token cancel) = 0;

  // Waits before the n-th repetition of a turn, from 1. False when the stop token fired.
  virtual bool pause(int n, std::stop_token cancel) = 0;

  // For messages: "api.example.com:443".
  virtual std::string place() const = 0;
};

}  // namespace dsv4::llm
