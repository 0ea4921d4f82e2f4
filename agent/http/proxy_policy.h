#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/http/url.h"

namespace dsv4::http {

// Which proxy a request goes through. Loopback is never asked for through one.
struct ProxyPolicy {
  std::optional<Url> for_https;  // asked with CONNECT
  std::optional<Url> for_http;   // asked with the whole URL
  // "*", "example.com" (and what is below it), ".example.com", "10.0.0.0/8", each with ":port" or
  // without.
  std::vector<std::string> direct;

  std::optional<Url> proxy(const Url& url) const;
};

// What HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say, each also in small letters, which win.
// HTTP_PROXY in capitals is not read inside a CGI program, where a client could set it. Throws
// Error (kRequest) for a proxy that is no http:// URL. `variable` is getenv() in the second form.
ProxyPolicy read_proxy_policy(
    const std::function<std::optional<std::string>(const std::string&)>& variable);
ProxyPolicy proxy_policy_of_environment();

}  // namespace dsv4::http
