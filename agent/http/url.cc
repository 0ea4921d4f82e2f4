#include "agent/http/url.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>

#include "agent/http/error.h"

namespace dsv4::http {
namespace {

constexpr uint16_t kHttpPort = 80;
constexpr uint16_t kHttpsPort = 443;

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorKind::kRequest, "the URL cannot be used: " + why);
}

std::string small(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

uint16_t parse_port(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) {
    refuse("its port is not a number from 1 to 65535");
  }
  return port;
}

// "host", "host:port", "[v6]" or "[v6]:port".
void take_authority(std::string_view text, Url* url) {
  std::string_view rest;
  if (text.starts_with('[')) {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) refuse("its address has no closing bracket");
    url->host = small(text.substr(1, close - 1));
    boost::system::error_code error;
    boost::asio::ip::make_address_v6(url->host, error);
    if (error) refuse("what stands in brackets is not an IPv6 address");
    rest = text.substr(close + 1);
  } else {
    const size_t colon = text.find(':');
    url->host = small(text.substr(0, colon));
    if (url->host.empty()) refuse("it names no host");
    if (!std::all_of(url->host.begin(), url->host.end(), host_character)) {
      refuse("its host holds characters that no host name has");
    }
    rest = colon == std::string_view::npos ? "" : text.substr(colon);
  }
  if (rest.empty()) return;
  if (rest.front() != ':') refuse("something stands between its host and its path");
  url->port = parse_port(rest.substr(1));
}

}  // namespace

std::string Url::place() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

std::string Url::authority() const {
  const std::string whole = place();
  if (port != (https ? kHttpsPort : kHttpPort)) return whole;
  return whole.substr(0, whole.rfind(':'));
}

std::string Url::origin() const { return (https ? "https://" : "http://") + authority(); }

Url parse_url(std::string_view text, UserInfo user) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f) {
      refuse("it holds a blank or a character outside ASCII; write it percent-encoded");
    }
  }
  Url url;
  const size_t colon = text.find("://");
  const std::string scheme = colon == std::string_view::npos ? "" : small(text.substr(0, colon));
  if (scheme != "http" && scheme != "https") {
    refuse("it does not begin with http:// or https://");
  }
  url.https = scheme == "https";
  url.port = url.https ? kHttpsPort : kHttpPort;
  text.remove_prefix(colon + 3);
  text = text.substr(0, text.find('#'));
  const size_t end = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, end);
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    if (user == UserInfo::kRefused) {
      refuse("it holds a user or a password, which would end up in logs and lists of processes");
    }
    url.user = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  take_authority(authority, &url);
  url.target = text.substr(end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  return url;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const char* const end = text.data() + std::min(i + 3, text.size());
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, end, byte, 16).ptr == end) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

Url follow(const Url& base, std::string_view location) {
  if (location.find("://") < location.find_first_of("/?#")) return parse_url(location);
  const std::string scheme = base.https ? "https:" : "http:";
  if (location.starts_with("//")) return parse_url(scheme + std::string(location));
  if (location.starts_with('/')) return parse_url(base.origin() + std::string(location));
  const std::string path = base.target.substr(0, base.target.find('?'));
  if (location.starts_with('?')) return parse_url(base.origin() + path + std::string(location));
  return parse_url(base.origin() + path.substr(0, path.rfind('/') + 1) + std::string(location));
}

bool is_loopback(std::string_view host) {
  if (host == "localhost" || host.ends_with(".localhost")) return true;
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host, error);
  return !error && address.is_loopback();
}

}  // namespace dsv4::http
