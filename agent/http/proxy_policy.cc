#include "agent/http/proxy_policy.h"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <cctype>
#include <cstdlib>
#include <string_view>

#include "agent/http/error.h"

namespace dsv4::http {
namespace {

namespace ip = boost::asio::ip;

bool in_network(const std::string& host, const std::string& network) {
  boost::system::error_code error;
  const ip::address address = ip::make_address(host, error);
  if (error) return false;
  if (address.is_v4()) {
    const auto net = ip::make_network_v4(network, error);
    if (error) return false;
    return net.canonical() == ip::network_v4(address.to_v4(), net.prefix_length()).canonical();
  }
  const auto net = ip::make_network_v6(network, error);
  if (error) return false;
  return net.canonical() == ip::network_v6(address.to_v6(), net.prefix_length()).canonical();
}

bool matches(std::string rule, const Url& url) {
  if (rule == "*") return true;
  if (rule.find('/') != std::string::npos) return in_network(url.host, rule);
  if (rule == url.host) return true;  // an IPv6 address holds colons of its own
  if (rule == '[' + url.host + ']') return true;
  if (const size_t colon = rule.rfind(':'); colon != std::string::npos) {
    if (rule.substr(colon + 1) != std::to_string(url.port)) return false;
    rule.erase(colon);
  }
  if (rule.starts_with("*.")) rule.erase(0, 1);
  if (rule.starts_with('[') && rule.ends_with(']')) rule = rule.substr(1, rule.size() - 2);
  if (rule.starts_with('.')) return url.host.ends_with(rule) || url.host == rule.substr(1);
  return url.host == rule || url.host.ends_with('.' + rule);
}

std::vector<std::string> words(std::string_view list) {
  std::vector<std::string> out(1);
  for (const char c : list) {
    if (c == ',' || c == ' ' || c == '\t') {
      if (!out.back().empty()) out.emplace_back();
    } else {
      out.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  if (out.back().empty()) out.pop_back();
  return out;
}

}  // namespace

std::optional<Url> ProxyPolicy::proxy(const Url& url) const {
  const std::optional<Url>& found = url.https ? for_https : for_http;
  if (!found || is_loopback(url.host)) return std::nullopt;
  for (const std::string& rule : direct) {
    if (matches(rule, url)) return std::nullopt;
  }
  return found;
}

ProxyPolicy read_proxy_policy(
    const std::function<std::optional<std::string>(const std::string&)>& variable) {
  const auto first_of = [&](std::initializer_list<const char*> names) -> std::optional<Url> {
    for (const char* name : names) {
      const std::optional<std::string> value = variable(name);
      if (!value || value->empty()) continue;
      const bool bare = value->find("://") == std::string::npos;
      try {
        Url url = parse_url(bare ? "http://" + *value : *value, UserInfo::kAllowed);
        if (!url.https) return url;
      } catch (const Error&) {
        // Said below, without the user and password that it may hold.
      }
      throw Error(ErrorKind::kRequest, std::string(name) +
                                           " cannot be used: a proxy is named like "
                                           "http://host:port, with user:password@ if needed");
    }
    return std::nullopt;
  };
  ProxyPolicy policy;
  policy.for_https = first_of({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
  policy.for_http = variable("REQUEST_METHOD")
                        ? first_of({"http_proxy", "all_proxy", "ALL_PROXY"})
                        : first_of({"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"});
  for (const char* name : {"no_proxy", "NO_PROXY"}) {
    const std::optional<std::string> value = variable(name);
    if (!value) continue;
    policy.direct = words(*value);
    break;
  }
  return policy;
}

ProxyPolicy proxy_policy_of_environment() {
  return read_proxy_policy([](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  });
}

}  // namespace dsv4::http
