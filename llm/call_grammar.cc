#include "llm/call_grammar.h"

#include <algorithm>
#include <utility>

namespace dsv4::llm {
namespace {

bool before(const Continuations::One& a, const Continuations::One& b) { return a.text < b.text; }

std::vector<Continuations::One> ended(std::vector<std::string> values) {
  const std::string end = std::string(call_tag::kEndValue) + '\n';
  std::vector<Continuations::One> all;
  all.reserve(values.size());
  for (std::string& value : values) {
    // A reader takes the first end it finds.
    if (value.find(call_tag::kEndValue) != std::string::npos) continue;
    const size_t data = value.size();
    value += end;
    all.push_back({std::move(value), data, 0});
  }
  return all;
}

CallGrammar::Parameter read_parameter(const std::string& name, const nlohmann::ordered_json& json) {
  CallGrammar::Parameter parameter;
  parameter.name = name;
  parameter.shape = json_shape(json);
  const auto type = json.find("type");
  parameter.text = type == json.end() || *type == "string";
  const auto values = json.find("enum");
  if (values != json.end() && values->is_array()) {
    for (const auto& value : *values) {
      if (value.is_string()) parameter.values.push_back(value.get<std::string>());
    }
  }
  return parameter;
}

CallGrammar::Tool read_tool(const nlohmann::ordered_json& schema) {
  CallGrammar::Tool tool;
  tool.name = schema.at("name").get<std::string>();
  const auto& parameters = schema.at("parameters");
  const auto required = parameters.value("required", std::vector<std::string>{});
  std::vector<Continuations::One> openings;
  for (const auto& [name, value] : parameters.at("properties").items()) {
    tool.parameters.push_back(read_parameter(name, value));
    openings.push_back({"<｜DSML｜parameter name=\"" + name + "\" string=\"" +
                            (tool.parameters.back().text ? "true" : "false") + "\">",
                        0, openings.size()});
  }
  for (size_t first = 0; first <= openings.size(); ++first) {
    std::vector<Continuations::One> all;
    bool may_end = true;
    for (size_t i = first; i < openings.size() && may_end; ++i) {
      all.push_back(openings[i]);
      may_end =
          std::find(required.begin(), required.end(), tool.parameters[i].name) == required.end();
    }
    if (may_end) all.push_back({std::string(call_tag::kEndCall), 0, CallGrammar::kEnd});
    tool.after.push_back(std::make_shared<const Continuations>(std::move(all)));
  }
  return tool;
}

std::shared_ptr<const Continuations> just(std::string_view text) {
  return std::make_shared<const Continuations>(
      std::vector<Continuations::One>{{std::string(text), 0, 0}});
}

}  // namespace

Continuations::Continuations(std::vector<One> all) : all_(std::move(all)) {
  if (!std::is_sorted(all_.begin(), all_.end(), before)) {
    std::sort(all_.begin(), all_.end(), before);
  }
  const auto same = [](const One& a, const One& b) { return a.text == b.text; };
  all_.erase(std::unique(all_.begin(), all_.end(), same), all_.end());
}

Continuations::Continuations(std::vector<std::string> values)
    : Continuations(ended(std::move(values))) {}

Continuations::Range Continuations::narrow(Range range, size_t at, char byte) const {
  const auto order = [at](const One& one, char b) {
    return static_cast<unsigned char>(one.text[at]) < static_cast<unsigned char>(b);
  };
  const auto place = [&](size_t i) { return all_.begin() + static_cast<std::ptrdiff_t>(i); };
  const auto begin = std::lower_bound(place(range.begin), place(range.end), byte, order);
  auto end = begin;
  if (byte == '\xFF') {
    end = place(range.end);
  } else {
    end = std::lower_bound(begin, place(range.end), static_cast<char>(byte + 1), order);
  }
  return {static_cast<size_t>(begin - all_.begin()), static_cast<size_t>(end - all_.begin())};
}

CallGrammar::CallGrammar(const std::vector<nlohmann::ordered_json>& schemas,
                         ArgumentChoices argument_choices)
    : choices(std::move(argument_choices)) {
  std::vector<Continuations::One> openings;
  for (const auto& schema : schemas) {
    tools.push_back(read_tool(schema));
    openings.push_back(
        {"<｜DSML｜invoke name=\"" + tools.back().name + "\">\n", 0, tools.size() - 1});
  }
  first_call = std::make_shared<const Continuations>(openings);
  openings.push_back({std::string(call_tag::kClose), 0, kEnd});
  next_call = std::make_shared<const Continuations>(std::move(openings));
  rest_of_open = just(call_tag::kOpen.substr(call_tag::kAny.size()));
  rest_of_end_value = just("\n");
}

}  // namespace dsv4::llm
