#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/toolbox.h"

namespace dsv4::tools {

struct Workspace;

enum class Type { kString, kInteger, kBoolean, kStrings, kRecords };

struct Parameter {
  const char* name;
  Type type;
  const char* description;
  bool required = false;
  // The embedded model was trained without it: accepted always, told of only to other models.
  bool more = false;
  // Of a required one: another parameter that may stand in its place.
  const char* instead = nullptr;
  std::vector<Parameter> fields{};  // of kRecords, an array of objects with texts
};

// The arguments of one call, checked against their tool's parameters.
class Arguments {
 public:
  explicit Arguments(const nlohmann::ordered_json& values) : values_(values) {}

  std::optional<std::string> text(const char* name) const;
  std::optional<int64_t> number(const char* name) const;
  bool flag(const char* name) const;  // false when left out
  std::vector<std::string> texts(const char* name) const;
  std::vector<nlohmann::ordered_json> records(const char* name) const;
  bool given(const char* name) const { return values_.contains(name); }

 private:
  const nlohmann::ordered_json& values_;
};

// One row of the registry.
struct Tool {
  const char* name;
  const char* description;
  std::vector<Parameter> parameters;
  Outcome (*run)(Workspace& workspace, const Arguments& arguments, std::stop_token cancel);
};

// {"name","description","parameters"} as the model is told; with all parameters or those the
// embedded model was trained with.
nlohmann::ordered_json schema(const Tool& tool, bool every_parameter);

// Throws a ToolError saying which argument is wrong and what was expected.
void check_arguments(const Tool& tool, const nlohmann::ordered_json& arguments);

}  // namespace dsv4::tools
