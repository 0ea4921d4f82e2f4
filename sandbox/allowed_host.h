#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::sandbox {

// A server outside that commands may reach through the program's proxy.
struct AllowedHost {
  std::string name;  // lower case: a name, or an address as it is written
  uint16_t port = 0;
};

// "pypi.org:443,files.pythonhosted.org:443". Throws std::invalid_argument that says what is wrong:
// every entry needs a port, and there are no wildcards.
std::vector<AllowedHost> parse_allowed_hosts(std::string_view text);

// As parse_allowed_hosts() reads it; empty for none.
std::string shown(const std::vector<AllowedHost>& hosts);

// Names are compared as DNS does: without regard to case or a dot at the end.
bool is_allowed(const std::vector<AllowedHost>& hosts, std::string_view name, uint16_t port);

}  // namespace dsv4::sandbox
