#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agent/http/error.h"
#include "agent/http/proxy_policy.h"

namespace dsv4::http {

struct Header {
  std::string name;
  std::string value;
};

struct Request {
  std::string method = "GET";
  std::string url;  // http:// or https://, no user or password in it
  // Host, User-Agent, Accept-Encoding and Content-Length are added where they are missing.
  std::vector<Header> headers;
  std::string body;
  // Doing it twice is as good as once. By default what the method says: GET, HEAD, PUT, DELETE and
  // OPTIONS are, POST and PATCH are not.
  std::optional<bool> repeatable;

  bool is_repeatable() const;
};

struct Response {
  int status = 0;
  std::vector<Header> headers;  // in the order they came in
  std::string body;

  bool ok() const { return status >= 200 && status < 300; }
  // The first field of that name, whatever its case.
  std::optional<std::string_view> header(std::string_view name) const;
};

struct ClientOptions {
  std::chrono::milliseconds connect_timeout = std::chrono::seconds(15);  // up to and with TLS
  std::chrono::milliseconds idle_timeout = std::chrono::seconds(60);     // no byte, either way
  std::chrono::milliseconds total_timeout{0};                            // of a request; 0: none
  size_t most_bytes = size_t{64} << 20;                                  // of a body, streamed too
  // PEM file of the authorities to trust in place of the system's. Where it is not set OpenSSL's
  // defaults are asked, which SSL_CERT_FILE and SSL_CERT_DIR change.
  std::optional<std::string> ca_file;
  ProxyPolicy proxies;  // proxy_policy_of_environment(), or none
  std::string user_agent = "dsv4-agent";
  int most_redirects = 5;
  // Headers that hold a key (Authorization, Proxy-Authorization, Cookie, api-key and x-api-key) go
  // over plain http to this machine only, unless this is set.
  bool keys_in_the_clear = false;
};

// Speaks HTTP/1.1, over TLS for https. Certificates and host names are always checked. Connections
// are kept and used again. Redirects are followed within https and from http to it: GET and HEAD
// anywhere, but without the headers that hold keys once the host, port or scheme changes; others on
// 307 and 308 within one host; anything else comes back as the 3xx it is. Thread-safe: requests of
// several threads use connections of their own.
class Client {
 public:
  // Throws Error (kTls) when ca_file cannot be read.
  explicit Client(ClientOptions options = {});
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  // Any status is a reply; Error when there is none. A stop request ends it within 100 ms.
  Response send(const Request& request, std::stop_token cancel = {});

  // Bytes of a body as they come in. False ends the request, and the connection with it.
  using OnBytes = std::function<bool(std::string_view)>;

  // The same, but the body of a reply with a status of 2xx goes to `on_bytes` and not into the
  // Response. Bytes may have been handed out before an Error is thrown; nothing is sent again once
  // one was.
  Response stream(const Request& request, const OnBytes& on_bytes, std::stop_token cancel = {});

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dsv4::http
