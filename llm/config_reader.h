#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace dsv4::llm {

// Reads typed, range-checked values from one JSON object; every fault is a ModelError that names
// the key. Missing and null are the same. The object must outlive the reader.
class ConfigReader {
 public:
  // where: the file and, for nested objects, the path to this one.
  ConfigReader(const nlohmann::json& object, std::string where);

  bool has(std::string_view key) const;
  bool has_prefix(std::string_view prefix) const;  // some key begins so

  int64_t integer(std::string_view key, int64_t min, int64_t max) const;
  int64_t integer_or(std::string_view key, int64_t fallback, int64_t min, int64_t max) const;
  double number(std::string_view key, double min, double max) const;
  double number_or(std::string_view key, double fallback, double min, double max) const;
  bool boolean_or(std::string_view key, bool fallback) const;
  std::string text(std::string_view key) const;
  std::string text_or(std::string_view key, std::string_view fallback) const;
  std::vector<int64_t> integers(std::string_view key, int64_t min, int64_t max) const;
  std::vector<std::string> texts(std::string_view key) const;
  ConfigReader object(std::string_view key) const;
  const nlohmann::json& value(std::string_view key) const;  // throws when missing

  // Throws unless the key is missing or has this value.
  void expect_text(std::string_view key, std::string_view only) const;
  void expect_boolean(std::string_view key, bool only) const;
  void expect_integer(std::string_view key, int64_t only) const;

  [[noreturn]] void fail(std::string_view key, const std::string& what) const;
  [[noreturn]] void fail(const std::string& what) const;

 private:
  int64_t to_integer(const nlohmann::json& v, std::string_view key, int64_t min, int64_t max) const;

  const nlohmann::json& object_;
  std::string where_;
};

}  // namespace dsv4::llm
