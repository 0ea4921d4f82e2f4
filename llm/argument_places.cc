#include "llm/argument_places.h"

#include <utility>

#include "llm/chat_wire.h"
#include "llm/error.h"

namespace dsv4::llm {
namespace {

using nlohmann::ordered_json;

constexpr const char* kWhere = "argument_choices";

std::string text_at(const ordered_json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) {
    throw FormatError(kWhere, std::string(name) + " is no text");
  }
  return found->get<std::string>();
}

}  // namespace

ordered_json to_wire(const ArgumentPlace& place) {
  return {{"earlier", place.earlier},
          {"tool", place.tool},
          {"parameter", place.parameter},
          {"arguments", place.arguments}};
}

ArgumentPlace place_from_wire(const ordered_json& json) {
  if (!json.is_object()) throw FormatError(kWhere, "a place is no object");
  ArgumentPlace place;
  place.tool = text_at(json, "tool");
  place.parameter = text_at(json, "parameter");
  if (const auto earlier = json.find("earlier"); earlier != json.end()) {
    if (!earlier->is_array()) throw FormatError(kWhere, "earlier is no list");
    for (const ordered_json& tool : *earlier) {
      if (!tool.is_string()) throw FormatError(kWhere, "earlier is no list of texts");
      place.earlier.push_back(tool.get<std::string>());
    }
  }
  if (const auto arguments = json.find("arguments"); arguments != json.end()) {
    if (!arguments->is_object()) throw FormatError(kWhere, "arguments is no object");
    place.arguments = *arguments;
  }
  return place;
}

void ToldChoices::tell(const ArgumentPlace& place, Values values) {
  told_.insert_or_assign(text_for_wire(to_wire(place)), std::move(values));
}

ToldChoices::Values ToldChoices::look_up(const ArgumentPlace& place) {
  const auto [found, fresh] = told_.try_emplace(text_for_wire(to_wire(place)));
  if (fresh) asked_.push_back(place);
  return found->second;
}

}  // namespace dsv4::llm
