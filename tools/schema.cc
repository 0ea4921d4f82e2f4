#include "tools/schema.h"

#include <algorithm>

#include "tools/error.h"
#include "tools/text.h"

namespace dsv4::tools {
namespace {

using Json = nlohmann::ordered_json;

Json type_schema(Type type) {
  switch (type) {
    case Type::kString:
      return {{"type", "string"}};
    case Type::kInteger:
      return {{"type", "integer"}};
    case Type::kBoolean:
      return {{"type", "boolean"}};
    case Type::kStrings:
      break;
  }
  return {{"type", "array"}, {"items", {{"type", "string"}}}};
}

const char* described(Type type) {
  switch (type) {
    case Type::kString:
      return "a string";
    case Type::kInteger:
      return "an integer";
    case Type::kBoolean:
      return "true or false";
    case Type::kStrings:
      break;
  }
  return "an array of strings";
}

bool fits(const Json& value, Type type) {
  switch (type) {
    case Type::kString:
      return value.is_string();
    case Type::kInteger:
      return value.is_number_integer() &&
             (!value.is_number_unsigned() || value.get<uint64_t>() <= INT64_MAX);
    case Type::kBoolean:
      return value.is_boolean();
    case Type::kStrings:
      break;
  }
  return value.is_array() &&
         std::all_of(value.begin(), value.end(), [](const Json& item) { return item.is_string(); });
}

// The value as the model wrote it, short. Deep values are not written out: that would recurse.
std::string shown_value(const Json& value) {
  const auto flat = [](const Json& item) { return !item.is_structured(); };
  if (value.is_structured() && !std::all_of(value.begin(), value.end(), flat)) {
    return value.is_array() ? "an array" : "an object";
  }
  return clipped(value.dump(-1, ' ', false, Json::error_handler_t::replace), 60);
}

std::string names_of(const std::vector<Parameter>& parameters) {
  std::string result;
  for (const Parameter& parameter : parameters) {
    if (!result.empty()) result += ", ";
    result += parameter.name;
  }
  return result;
}

}  // namespace

std::optional<std::string> Arguments::text(const char* name) const {
  const auto value = values_.find(name);
  if (value == values_.end()) return std::nullopt;
  return value->get<std::string>();
}

std::optional<int64_t> Arguments::number(const char* name) const {
  const auto value = values_.find(name);
  if (value == values_.end()) return std::nullopt;
  return value->get<int64_t>();
}

bool Arguments::flag(const char* name) const {
  const auto value = values_.find(name);
  return value != values_.end() && value->get<bool>();
}

std::vector<std::string> Arguments::texts(const char* name) const {
  const auto value = values_.find(name);
  if (value == values_.end()) return {};
  return value->get<std::vector<std::string>>();
}

Json schema(const Tool& tool) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const Parameter& parameter : tool.parameters) {
    Json property = type_schema(parameter.type);
    property["description"] = parameter.description;
    properties[parameter.name] = std::move(property);
    if (parameter.required) required.push_back(parameter.name);
  }
  return {{"name", tool.name},
          {"description", tool.description},
          {"parameters",
           {{"type", "object"},
            {"properties", std::move(properties)},
            {"required", std::move(required)},
            {"additionalProperties", false}}}};
}

void check_arguments(const Tool& tool, const Json& arguments) {
  const std::string prefix = std::string(tool.name) + ": ";
  if (!arguments.is_object()) {
    throw ToolError(prefix + "the arguments must be an object, got " + shown_value(arguments) +
                    ".");
  }
  for (const auto& [name, value] : arguments.items()) {
    const auto parameter = std::find_if(tool.parameters.begin(), tool.parameters.end(),
                                        [&](const Parameter& p) { return p.name == name; });
    if (parameter == tool.parameters.end()) {
      throw ToolError(prefix + "there is no argument " + clipped(name, 60) +
                      (tool.parameters.empty()
                           ? "; call it without arguments."
                           : "; the arguments are " + names_of(tool.parameters) + "."));
    }
    if (!fits(value, parameter->type)) {
      throw ToolError(prefix + "argument " + name + " must be " + described(parameter->type) +
                      ", got " + shown_value(value) + ".");
    }
  }
  for (const Parameter& parameter : tool.parameters) {
    if (parameter.required && !arguments.contains(parameter.name)) {
      throw ToolError(prefix + "give " + parameter.name + ".");
    }
  }
}

}  // namespace dsv4::tools
