#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The head of an HTTP answer.
struct Head {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case, in their order

  // The value of a field (its name in lower case); nothing when it is not there.
  std::optional<std::string> field(std::string_view name) const;
  bool chunked() const;
};

// Nothing when this is not the head of an answer of HTTP/1.1. It ends with an empty line.
std::optional<Head> parse_head(std::string_view text);
