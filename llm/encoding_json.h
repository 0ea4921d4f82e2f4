#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace dsv4::llm {

// Deepest nesting of JSON that comes from outside: messages, schemas, arguments of calls.
constexpr int kMaxJsonDepth = 100;

// Parses JSON that somebody else wrote. Throws FormatError(where, ...) when it is wrong or nested
// deeper than kMaxJsonDepth.
nlohmann::ordered_json parse_foreign_json(std::string_view text, const std::string& where);

// What Python's json.dumps(value, ensure_ascii=False) writes: ", " and ": " between things, floats
// as repr() has them. Prompts hold JSON in this spelling.
std::string python_json(const nlohmann::ordered_json& value);

}  // namespace dsv4::llm
