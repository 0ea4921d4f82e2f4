#include "agent/duration.h"

#include <charconv>
#include <cstdint>
#include <cstdio>

namespace dsv4::agent {

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  constexpr int64_t kLongest = 30LL * 24 * 3600 * 1000;
  int64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number <= 0 || number > kLongest) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<size_t>(rest - text.data()));
  int64_t factor = 0;
  if (unit == "ms") factor = 1;
  if (unit.empty() || unit == "s") factor = 1000;
  if (unit == "m" || unit == "min") factor = 60 * 1000;
  if (unit == "h") factor = 3600 * 1000;
  if (factor == 0 || number > kLongest / factor) return std::nullopt;
  return std::chrono::milliseconds(number * factor);
}

std::string describe_duration(std::chrono::milliseconds duration) {
  const int64_t ms = duration.count();
  char text[64];
  if (ms < 10'000) {
    std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(ms) / 1000);
  } else if (ms < 60'000) {
    std::snprintf(text, sizeof text, "%lld s", static_cast<long long>(ms / 1000));
  } else {
    std::snprintf(text, sizeof text, "%lld min %lld s", static_cast<long long>(ms / 60'000),
                  static_cast<long long>(ms / 1000 % 60));
  }
  return text;
}

}  // namespace dsv4::agent
