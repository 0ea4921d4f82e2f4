#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace dsv4::agent {

// "90", "90s", "30m", "2h" or "500ms": a positive whole number and a unit, seconds when left out.
// Nothing for anything else, and for more than 30 days.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// For people: "0.4 s", "12 s", "3 min 20 s".
std::string describe_duration(std::chrono::milliseconds duration);

}  // namespace dsv4::agent
