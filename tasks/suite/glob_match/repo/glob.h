#pragma once

#include <string_view>

// Whether the whole name matches: `*` stands for any characters, also none, `?` for exactly one.
bool glob_match(std::string_view pattern, std::string_view name);
