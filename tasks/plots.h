#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace dsv4::tasks {

// Parts of the report page. Each is well-formed XML whose colours are the page's own (style.h), and
// fits any width: names and numbers are text beside the drawings.

// A bar for each share, with its interval: rows of {name, percent, low, high, resolved, runs}.
std::string share_bars(const nlohmann::ordered_json& rows);

// A box from quarter to quarter, its median and its ends, each row on a scale of its own: rows of
// {name, least, quarter, median, three_quarters, most, total}.
std::string spread_boxes(const nlohmann::ordered_json& rows);

// A share over whole numbers from 1 on, with its interval: rows of {`key`, percent, low, high}.
std::string share_curve(const nlohmann::ordered_json& rows, const char* key);

// A difference in percent and its interval, on a scale from -100 to 100.
std::string difference_bar(double value, double low, double high);

}  // namespace dsv4::tasks
