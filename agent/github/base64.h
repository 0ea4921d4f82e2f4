#pragma once

#include <string>
#include <string_view>

namespace dsv4::agent::github {

// RFC 4648, with padding and without line ends.
std::string base64(std::string_view bytes);

}  // namespace dsv4::agent::github
