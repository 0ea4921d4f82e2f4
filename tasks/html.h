#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace dsv4::tasks {

// Text as XML and HTML take it, inside elements and quoted attributes alike. Control characters and
// what turns the direction of writing become visible escapes first.
std::string escaped(std::string_view text);

// As text that Markdown shows as it is, also inside a table.
std::string markdown_escaped(std::string_view text);

// A number for people: "1,234,567", "12.5"; whole ones without a point.
std::string shown_number(const nlohmann::ordered_json& number);

}  // namespace dsv4::tasks
