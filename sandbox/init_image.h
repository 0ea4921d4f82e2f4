#pragma once

#include <string_view>

namespace dsv4::sandbox {

// The bytes of the init program (init/init.cc), carried inside this one so that there is nothing to
// find, and nothing to tamper with, at run time.
std::string_view init_image();

}  // namespace dsv4::sandbox
