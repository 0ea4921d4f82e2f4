#pragma once

#include <string>
#include <string_view>

namespace dsv4::agent {

// All of standard input, as bytes. Throws UsageError that begins with the command's name when it
// cannot be read: closed, or a directory.
std::string read_standard_input(std::string_view command);

}  // namespace dsv4::agent
