#pragma once

#include <cstddef>
#include <string_view>

struct Counts {
  size_t lines = 0;
  size_t words = 0;
  size_t bytes = 0;
};

Counts count(std::string_view text);
