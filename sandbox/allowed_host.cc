#include "sandbox/allowed_host.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace dsv4::sandbox {
namespace {

std::string normal(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
  if (lower.size() > 1 && lower.back() == '.') lower.pop_back();
  if (lower.size() > 2 && lower.front() == '[' && lower.back() == ']') {
    lower = lower.substr(1, lower.size() - 2);
  }
  return lower;
}

bool is_name(std::string_view name) {
  constexpr size_t kLongest = 253;
  return !name.empty() && name.size() <= kLongest &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
                  c == '_' || c == ':';
         });
}

}  // namespace

std::vector<AllowedHost> parse_allowed_hosts(std::string_view text) {
  std::vector<AllowedHost> hosts;
  while (!text.empty()) {
    const std::string_view entry = text.substr(0, text.find(','));
    text.remove_prefix(std::min(entry.size() + 1, text.size()));
    const size_t colon = entry.rfind(':');
    AllowedHost host;
    const std::string_view digits =
        colon == std::string_view::npos ? std::string_view() : entry.substr(colon + 1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), host.port);
    host.name = normal(entry.substr(0, colon));
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size() ||
        host.port == 0 || !is_name(host.name)) {
      throw std::invalid_argument("'" + std::string(entry) +
                                  "' is not a host and a port, such as pypi.org:443");
    }
    hosts.push_back(std::move(host));
  }
  if (hosts.empty()) throw std::invalid_argument("no host is named, such as pypi.org:443");
  return hosts;
}

std::string shown(const std::vector<AllowedHost>& hosts) {
  std::string text;
  for (const AllowedHost& host : hosts) {
    text += (text.empty() ? "" : ",") + host.name + ":" + std::to_string(host.port);
  }
  return text;
}

bool is_allowed(const std::vector<AllowedHost>& hosts, std::string_view name, uint16_t port) {
  const std::string wanted = normal(name);
  return std::any_of(hosts.begin(), hosts.end(), [&](const AllowedHost& host) {
    return host.port == port && host.name == wanted;
  });
}

}  // namespace dsv4::sandbox
