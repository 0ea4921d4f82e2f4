#include "llm/config_reader.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "llm/error.h"

namespace dsv4::llm {
namespace {

std::string shorten(const nlohmann::json& v) {
  if (v.is_structured()) return v.is_array() ? "a list" : "an object";
  std::string text = v.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

std::string show(double v) {
  std::ostringstream out;
  out << v;
  return out.str();
}

}  // namespace

ConfigReader::ConfigReader(const nlohmann::json& object, std::string where)
    : object_(object), where_(std::move(where)) {
  if (!object_.is_object()) throw ModelError(where_ + ": a JSON object is expected here");
}

void ConfigReader::fail(const std::string& what) const { throw ModelError(where_ + ": " + what); }

void ConfigReader::fail(std::string_view key, const std::string& what) const {
  fail("'" + std::string(key) + "' " + what);
}

bool ConfigReader::has(std::string_view key) const {
  const auto it = object_.find(std::string(key));
  return it != object_.end() && !it->is_null();
}

bool ConfigReader::has_prefix(std::string_view prefix) const {
  for (const auto& item : object_.items()) {
    if (item.key().compare(0, prefix.size(), prefix) == 0) return true;
  }
  return false;
}

const nlohmann::json& ConfigReader::value(std::string_view key) const {
  if (!has(key)) fail(key, "is missing");
  return *object_.find(std::string(key));
}

int64_t ConfigReader::to_integer(const nlohmann::json& v, std::string_view key, int64_t min,
                                 int64_t max) const {
  if (!v.is_number_integer()) fail(key, "must be a whole number, not " + shorten(v));
  const bool too_big = v.is_number_unsigned() && v.get<uint64_t>() > static_cast<uint64_t>(max);
  if (too_big || v.get<int64_t>() < min || v.get<int64_t>() > max) {
    fail(key, "is " + shorten(v) + "; it must be from " + std::to_string(min) + " to " +
                  std::to_string(max));
  }
  return v.get<int64_t>();
}

int64_t ConfigReader::integer(std::string_view key, int64_t min, int64_t max) const {
  return to_integer(value(key), key, min, max);
}

int64_t ConfigReader::integer_or(std::string_view key, int64_t fallback, int64_t min,
                                 int64_t max) const {
  return has(key) ? integer(key, min, max) : fallback;
}

double ConfigReader::number(std::string_view key, double min, double max) const {
  const nlohmann::json& v = value(key);
  if (!v.is_number()) fail(key, "must be a number, not " + shorten(v));
  const double number = v.get<double>();
  if (!(number >= min && number <= max)) {
    fail(key, "is " + shorten(v) + "; it must be from " + show(min) + " to " + show(max));
  }
  return number;
}

double ConfigReader::number_or(std::string_view key, double fallback, double min,
                               double max) const {
  return has(key) ? number(key, min, max) : fallback;
}

bool ConfigReader::boolean_or(std::string_view key, bool fallback) const {
  if (!has(key)) return fallback;
  const nlohmann::json& v = value(key);
  if (!v.is_boolean()) fail(key, "must be true or false, not " + shorten(v));
  return v.get<bool>();
}

std::string ConfigReader::text(std::string_view key) const {
  const nlohmann::json& v = value(key);
  if (!v.is_string()) fail(key, "must be a string, not " + shorten(v));
  return v.get<std::string>();
}

std::string ConfigReader::text_or(std::string_view key, std::string_view fallback) const {
  return has(key) ? text(key) : std::string(fallback);
}

std::vector<int64_t> ConfigReader::integers(std::string_view key, int64_t min, int64_t max) const {
  const nlohmann::json& v = value(key);
  if (!v.is_array()) fail(key, "must be a list of whole numbers");
  std::vector<int64_t> out;
  for (const auto& e : v) out.push_back(to_integer(e, key, min, max));
  return out;
}

std::vector<std::string> ConfigReader::texts(std::string_view key) const {
  const nlohmann::json& v = value(key);
  if (!v.is_array()) fail(key, "must be a list of strings");
  std::vector<std::string> out;
  for (const auto& e : v) {
    if (!e.is_string()) fail(key, "must be a list of strings");
    out.push_back(e.get<std::string>());
  }
  return out;
}

ConfigReader ConfigReader::object(std::string_view key) const {
  const nlohmann::json& v = value(key);
  if (!v.is_object()) fail(key, "must be an object, not " + shorten(v));
  return ConfigReader(v, where_ + ": " + std::string(key));
}

void ConfigReader::expect_text(std::string_view key, std::string_view only) const {
  if (has(key) && text(key) != only) {
    fail(key,
         "is " + shorten(value(key)) + "; this engine supports only \"" + std::string(only) + "\"");
  }
}

void ConfigReader::expect_boolean(std::string_view key, bool only) const {
  if (boolean_or(key, only) != only) {
    fail(key, std::string("must be ") + (only ? "true" : "false") +
                  "; this engine supports nothing else");
  }
}

void ConfigReader::expect_integer(std::string_view key, int64_t only) const {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  if (integer_or(key, only, kMin, kMax) != only) {
    fail(key, "is " + shorten(value(key)) + "; this engine supports only " + std::to_string(only));
  }
}

}  // namespace dsv4::llm
