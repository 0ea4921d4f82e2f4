#include "llm/call_guide.h"

#include <algorithm>
#include <utility>

namespace dsv4::llm {
namespace {

constexpr std::string_view kOpen = "<｜DSML｜tool_calls>\n";
constexpr std::string_view kClose = "</｜DSML｜tool_calls>";
constexpr std::string_view kEndInvoke = "</｜DSML｜invoke>\n";
constexpr std::string_view kEndParameter = "</｜DSML｜parameter>\n";

struct Parameter {
  std::string name;
  std::string opening;  // <｜DSML｜parameter name="..." string="...">
  bool text = true;     // the value is the text itself, not JSON
  bool required = false;
};

struct Tool {
  std::string name;
  std::string opening;  // <｜DSML｜invoke name="...">
  std::vector<Parameter> parameters;
};

Tool read_tool(const nlohmann::ordered_json& schema) {
  Tool tool;
  tool.name = schema.at("name").get<std::string>();
  tool.opening = "<｜DSML｜invoke name=\"" + tool.name + "\">\n";
  const auto& parameters = schema.at("parameters");
  const auto required = parameters.value("required", std::vector<std::string>{});
  for (const auto& [name, value] : parameters.at("properties").items()) {
    const bool text = value.value("type", "string") == "string";
    tool.parameters.push_back(
        {name,
         "<｜DSML｜parameter name=\"" + name + "\" string=\"" + (text ? "true" : "false") + "\">",
         text, std::find(required.begin(), required.end(), name) != required.end()});
  }
  return tool;
}

}  // namespace

struct CallGuide::Grammar {
  std::vector<Tool> tools;
  ArgumentChoices choices;
};

// A place is one of a few states with what was written since the state began. Copied freely while
// tokens are tried.
struct CallGuide::Place {
  enum class State {
    kText,       // outside the calls
    kCall,       // an invoke begins, or (after the first) the block ends
    kParameter,  // a parameter begins, or the call ends
    kChosen,     // a value from a list
    kFree,       // a value of any text
    kDone,       // after the block: only the end of the turn
  };

  State state = State::kText;
  std::string written;  // since the state began; in kText and kFree only what may begin a marker
  size_t tool = 0;
  size_t next_parameter = 0;       // the first of the tool's parameters that may still come
  std::vector<std::string> calls;  // names of the turn's calls, this one included
  std::shared_ptr<const std::vector<std::string>> options;  // kChosen: value and end
  nlohmann::ordered_json arguments = nlohmann::ordered_json::object();

  bool restricted() const { return state != State::kText && state != State::kFree; }

  // What may follow the last choice, each up to the next one.
  std::vector<std::string_view> continuations(const Grammar& grammar) const {
    std::vector<std::string_view> all;
    if (state == State::kCall) {
      for (const Tool& t : grammar.tools) all.emplace_back(t.opening);
      if (!calls.empty()) all.push_back(kClose);
    } else if (state == State::kParameter) {
      const auto& parameters = grammar.tools[tool].parameters;
      bool may_close = true;
      for (size_t i = next_parameter; i < parameters.size() && may_close; ++i) {
        all.emplace_back(parameters[i].opening);
        if (parameters[i].required) may_close = false;
      }
      if (may_close) all.push_back(kEndInvoke);
    } else if (state == State::kChosen) {
      for (const std::string& option : *options) all.emplace_back(option);
    }
    return all;
  }

  // Moves past a whole continuation.
  void take(const Grammar& grammar, std::string_view whole) {
    written.clear();
    if (state == State::kCall) {
      if (whole == kClose) {
        state = State::kDone;
        return;
      }
      for (tool = 0; grammar.tools[tool].opening != whole;) ++tool;
      calls.push_back(grammar.tools[tool].name);
      arguments = nlohmann::ordered_json::object();
      next_parameter = 0;
      state = State::kParameter;
    } else if (state == State::kParameter) {
      if (whole == kEndInvoke) {
        state = State::kCall;
        return;
      }
      const auto& parameters = grammar.tools[tool].parameters;
      while (parameters[next_parameter].opening != whole) ++next_parameter;
      begin_value(grammar, parameters[next_parameter]);
    } else if (state == State::kChosen) {
      end_value(grammar, whole.substr(0, whole.size() - kEndParameter.size()));
    }
  }

  void begin_value(const Grammar& grammar, const Parameter& parameter) {
    state = State::kFree;
    if (!parameter.text || !grammar.choices) return;
    const std::vector<std::string> earlier(calls.begin(), calls.end() - 1);
    auto values = grammar.choices(earlier, grammar.tools[tool].name, parameter.name, arguments);
    if (!values || values->empty()) return;
    for (std::string& value : *values) value += kEndParameter;
    options = std::make_shared<const std::vector<std::string>>(*std::move(values));
    state = State::kChosen;
  }

  void end_value(const Grammar& grammar, std::string_view value) {
    arguments[grammar.tools[tool].parameters[next_parameter].name] = std::string(value);
    ++next_parameter;
    options.reset();
    written.clear();
    state = State::kParameter;
  }

  // Goes on with text; false when the grammar does not allow it (the place is then of no use).
  bool advance(const Grammar& grammar, std::string_view text) {
    while (!text.empty()) {
      if (state == State::kDone) return false;
      if (!restricted()) {
        text = scan(grammar, text);
        continue;
      }
      written += text.front();
      text.remove_prefix(1);
      std::string_view whole;
      bool possible = false;
      for (const std::string_view option : continuations(grammar)) {
        if (!option.starts_with(written)) continue;
        possible = true;
        if (option.size() == written.size()) whole = option;
      }
      if (!possible) return false;
      if (!whole.empty()) take(grammar, whole);
    }
    return true;
  }

  // Free text up to the marker that ends it; returns what follows the marker.
  std::string_view scan(const Grammar& grammar, std::string_view text) {
    const std::string_view marker = state == State::kText ? kOpen : kEndParameter;
    written += text;
    const size_t at = written.find(marker);
    if (at == std::string::npos) return {};
    const std::string value = written.substr(0, at);
    const size_t after = written.size() - at - marker.size();
    if (state == State::kText) {
      written.clear();
      calls.clear();
      state = State::kCall;
    } else {
      end_value(grammar, value);
    }
    return text.substr(text.size() - after);
  }
};

CallGuide::CallGuide(const std::vector<nlohmann::ordered_json>& tools, ArgumentChoices choices)
    : place_(std::make_unique<Place>()) {
  auto grammar = std::make_unique<Grammar>();
  for (const auto& schema : tools) grammar->tools.push_back(read_tool(schema));
  grammar->choices = std::move(choices);
  grammar_ = std::move(grammar);
}

CallGuide::~CallGuide() = default;

void CallGuide::begin_turn() { *place_ = Place{}; }

void CallGuide::accept(std::string_view text) {
  // A text that was not allowed (sampled without asking) ends the guidance of this turn: the parser
  // then says what is wrong with it.
  if (!place_->advance(*grammar_, text)) *place_ = Place{};
}

bool CallGuide::restricts() const { return place_->restricted(); }

bool CallGuide::allows(std::string_view text) const {
  if (!restricts()) return true;
  if (text.empty() || place_->state == Place::State::kDone) return false;
  Place tried = *place_;
  return tried.advance(*grammar_, text);
}

bool CallGuide::may_end() const {
  return place_->state == Place::State::kText || place_->state == Place::State::kDone;
}

bool CallGuide::between_calls() const {
  return place_->state == Place::State::kCall && !place_->calls.empty();
}

std::vector<bool> CallGuide::first_bytes() const {
  std::vector<bool> table(256, !restricts());
  for (const std::string_view option : place_->continuations(*grammar_)) {
    if (option.starts_with(place_->written) && option.size() > place_->written.size()) {
      table[static_cast<unsigned char>(option[place_->written.size()])] = true;
    }
  }
  return table;
}

}  // namespace dsv4::llm
