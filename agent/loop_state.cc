#include "agent/loop_state.h"

#include <span>

#include "llm/sha256.h"

namespace dsv4::agent {

using nlohmann::ordered_json;

int Repeats::count(const std::string& signature) {
  const std::span bytes(reinterpret_cast<const uint8_t*>(signature.data()), signature.size());
  std::string digest = llm::to_hex(llm::Sha256().add(bytes).finish());
  count_ = digest == last_ ? count_ + 1 : 1;
  last_ = std::move(digest);
  return count_;
}

void Repeats::go_on_from(const std::string& state) {
  const size_t blank = state.find(' ');
  last_ = state.substr(0, blank);
  count_ = blank == std::string::npos ? 0 : std::atoi(state.c_str() + blank);
}

ordered_json to_json(const Seconds& seconds) {
  return {seconds.model.count(), seconds.tools.count(), seconds.tests.count()};
}

Seconds seconds_from(const ordered_json& json) {
  using Duration = std::chrono::duration<double>;
  return {Duration(json.at(0).get<double>()), Duration(json.at(1).get<double>()),
          Duration(json.at(2).get<double>())};
}

ordered_json to_json(const LoopState& state) {
  ordered_json json = {{"turns", state.result.turns},
                       {"tool_calls", state.result.tool_calls},
                       {"seconds", to_json(state.result.seconds)},
                       {"last_test", nullptr},
                       {"generated", state.generated},
                       {"corrections", state.corrections},
                       {"trials", state.trials},
                       {"same_call", state.same_call.state()},
                       {"same_turn", state.same_turn.state()}};
  if (state.last_test) json["last_test"] = *state.last_test;
  return json;
}

LoopState loop_state_from(const ordered_json& json) {
  LoopState state;
  json.at("turns").get_to(state.result.turns);
  json.at("tool_calls").get_to(state.result.tool_calls);
  state.result.seconds = seconds_from(json.at("seconds"));
  if (!json.at("last_test").is_null()) state.last_test = json.at("last_test").get<bool>();
  json.at("generated").get_to(state.generated);
  json.at("corrections").get_to(state.corrections);
  json.at("trials").get_to(state.trials);
  state.same_call.go_on_from(json.at("same_call"));
  state.same_turn.go_on_from(json.at("same_turn"));
  return state;
}

}  // namespace dsv4::agent
