#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace dsv4::llm {

// Where the value of an argument begins while a turn is generated: what ArgumentChoices are asked
// with, in a form that goes over the wire.
struct ArgumentPlace {
  std::vector<std::string> earlier;  // tools of the turn's calls before this one
  std::string tool;
  std::string parameter;
  nlohmann::ordered_json arguments = nlohmann::ordered_json::object();  // before it in this call
};

nlohmann::ordered_json to_wire(const ArgumentPlace& place);
// Throws FormatError.
ArgumentPlace place_from_wire(const nlohmann::ordered_json& json);

// Stands in for ArgumentChoices of another process: it knows the values that were told, and notes
// the places for which none were, so that their owner can be asked.
class ToldChoices {
 public:
  using Values = std::optional<std::vector<std::string>>;  // nothing: any text

  void tell(const ArgumentPlace& place, Values values);
  // As ArgumentChoices; any text where nothing was told.
  Values look_up(const ArgumentPlace& place);
  // Places that were looked up in vain, each once.
  const std::vector<ArgumentPlace>& asked() const { return asked_; }

 private:
  std::map<std::string, Values> told_;
  std::vector<ArgumentPlace> asked_;
};

}  // namespace dsv4::llm
