#pragma once

#include <string>

// Catch2 3 (Ubuntu 24.04) and Catch2 2 (Debian 12) under one include.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
// For REQUIRE_THROWS_WITH: the message holds this text.
inline auto message_with(const std::string& text) {
  return Catch::Matchers::ContainsSubstring(text);
}
#else
#include <catch2/catch.hpp>
inline auto message_with(const std::string& text) { return Catch::Matchers::Contains(text); }
#endif
