#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace dsv4::http {

// An absolute http or https URL, taken apart.
struct Url {
  bool https = false;
  std::string host;    // in small letters; an IPv6 address without its brackets
  uint16_t port = 0;   // the scheme's own where the URL names none
  std::string target;  // path and query, "/" at least
  std::string user;    // "name:password", percent-encoded; only proxies may have one

  // "host:port", an IPv6 address in brackets: for messages and for CONNECT.
  std::string place() const;
  // The value of the Host field: without the port where it is the scheme's own.
  std::string authority() const;
  // "https://host": what a target follows.
  std::string origin() const;
};

enum class UserInfo { kRefused, kAllowed };

// Throws Error (kRequest) that says what is wrong, without quoting the URL's user or query.
Url parse_url(std::string_view text, UserInfo user = UserInfo::kRefused);

// "%20" and the like turned back into bytes.
std::string percent_decoded(std::string_view text);

// Where a Location field points to, seen from `base`. Throws like parse_url().
Url follow(const Url& base, std::string_view location);

// The host is this machine by its name (localhost) or as an address (127.0.0.0/8, ::1).
bool is_loopback(std::string_view host);

}  // namespace dsv4::http
