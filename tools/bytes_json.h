#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace dsv4::tools {

// Any bytes as JSON: a string where they are UTF-8, else {"hex": "..."}.
nlohmann::ordered_json bytes_to_json(std::string_view bytes);

// Back again. Throws nlohmann::json::exception for anything else.
std::string bytes_from_json(const nlohmann::ordered_json& json);

}  // namespace dsv4::tools
