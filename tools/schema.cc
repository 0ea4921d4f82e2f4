#include "tools/schema.h"

#include <algorithm>

#include "tools/error.h"
#include "tools/text.h"
#include "tools/worktree.h"

namespace dsv4::tools {
namespace {

using Json = nlohmann::ordered_json;

Json object_schema(const std::vector<Parameter>& parameters, bool every_parameter);

Json type_schema(const Parameter& parameter) {
  switch (parameter.type) {
    case Type::kString:
      return {{"type", "string"}};
    case Type::kInteger:
      return {{"type", "integer"}};
    case Type::kBoolean:
      return {{"type", "boolean"}};
    case Type::kStrings:
      return {{"type", "array"}, {"items", {{"type", "string"}}}};
    case Type::kRecords:
      break;
  }
  return {{"type", "array"}, {"items", object_schema(parameter.fields, true)}};
}

Json object_schema(const std::vector<Parameter>& parameters, bool every_parameter) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const Parameter& parameter : parameters) {
    if (parameter.more && !every_parameter) continue;
    Json property = type_schema(parameter);
    property["description"] = parameter.description;
    properties[parameter.name] = std::move(property);
    const bool replaceable = parameter.instead && every_parameter;
    if (parameter.required && !replaceable) required.push_back(parameter.name);
  }
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"required", std::move(required)},
          {"additionalProperties", false}};
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
      return "an array of strings";
    case Type::kRecords:
      break;
  }
  return "an array of objects";
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
    case Type::kRecords:
      break;
  }
  return value.is_array() && std::all_of(value.begin(), value.end(), [type](const Json& item) {
           return type == Type::kStrings ? item.is_string() : item.is_object();
         });
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
    if (parameter.more) continue;
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

std::vector<Json> Arguments::records(const char* name) const {
  const auto value = values_.find(name);
  if (value == values_.end()) return {};
  return {value->begin(), value->end()};
}

Json schema(const Tool& tool, bool every_parameter) {
  return {{"name", tool.name},
          {"description", tool.description},
          {"parameters", object_schema(tool.parameters, every_parameter)}};
}

namespace {

// Those of a call, or of one of its records; `prefix` says where.
void check(const std::vector<Parameter>& parameters, const Json& arguments,
           const std::string& prefix) {
  for (const auto& [name, value] : arguments.items()) {
    const auto parameter = std::find_if(parameters.begin(), parameters.end(),
                                        [&](const Parameter& p) { return p.name == name; });
    if (parameter == parameters.end()) {
      const std::string known = names_of(parameters);
      throw ToolError(
          prefix + "there is no argument " + shown(clipped(name, 60)) +
          (known.empty() ? "; call it without arguments." : "; the arguments are " + known + "."));
    }
    if (!fits(value, parameter->type)) {
      throw ToolError(prefix + "argument " + name + " must be " + described(parameter->type) +
                      ", got " + shown_value(value) + ".");
    }
    if (parameter->type != Type::kRecords) continue;
    for (size_t k = 0; k < value.size(); ++k) {
      check(parameter->fields, value[k], prefix + name + " " + std::to_string(k + 1) + ": ");
    }
  }
  for (const Parameter& parameter : parameters) {
    if (!parameter.required || arguments.contains(parameter.name)) continue;
    if (parameter.instead && arguments.contains(parameter.instead)) continue;
    throw ToolError(prefix + "give " + parameter.name + ".");
  }
}

}  // namespace

void check_arguments(const Tool& tool, const Json& arguments) {
  const std::string prefix = std::string(tool.name) + ": ";
  if (!arguments.is_object()) {
    throw ToolError(prefix + "the arguments must be an object, got " + shown_value(arguments) +
                    ".");
  }
  check(tool.parameters, arguments, prefix);
}

}  // namespace dsv4::tools
