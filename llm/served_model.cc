#include <algorithm>

#include "llm/chat_wire.h"
#include "llm/error.h"
#include "llm/remote_conversation.h"
#include "llm/server_words.h"

namespace dsv4::llm {
namespace {

using nlohmann::ordered_json;

constexpr size_t kShownNames = 8;

// A positive number at the end of a path of members.
std::optional<int64_t> number_at(const ordered_json& json,
                                 std::initializer_list<const char*> path) {
  const ordered_json* at = &json;
  for (const char* name : path) {
    if (!at->is_object() || !at->contains(name)) return std::nullopt;
    at = &at->at(name);
  }
  if (!at->is_number_integer() || at->get<int64_t>() <= 0) return std::nullopt;
  return at->get<int64_t>();
}

std::optional<int64_t> window_of(const ordered_json& model) {
  for (const char* name :
       {"max_model_len", "context_length", "context_window", "max_context_length"}) {
    if (const auto window = number_at(model, {name})) return window;
  }
  return number_at(model, {"meta", "n_ctx_train"});  // llama.cpp's
}

// Whether the server knows the fields that are dsv4-agent serve's own.
bool may_be_steered(const ordered_json& model) {
  const auto found = model.find("extensions");
  if (found == model.end() || !found->is_array()) return false;
  const auto has = [&](const char* name) {
    return std::find(found->begin(), found->end(), name) != found->end();
  };
  return has("prefix_token_ids") && has("argument_choices");
}

std::vector<ServedModel> models_in(const std::string& body) {
  std::vector<ServedModel> out;
  const auto json = json_from_wire(body);
  if (!json || !json->is_object() || !json->contains("data")) return out;
  for (const ordered_json& model : json->at("data")) {
    if (!model.is_object() || !model.contains("id") || !model["id"].is_string()) continue;
    out.push_back({model["id"].get<std::string>(), window_of(model), may_be_steered(model)});
  }
  return out;
}

// Why an answer names no model.
std::string in_place_of_models(const ChatTransport::Answer& answer) {
  if (!answer.ok()) {
    return "status " + std::to_string(answer.status) + ": " + said_in(answer.body);
  }
  return json_from_wire(answer.body) ? "it lists none" : "it sent " + what_came(answer.body);
}

const ServedModel& one_of(const std::vector<ServedModel>& models, const std::string& place,
                          const ChatTransport::Answer& answer) {
  if (models.size() == 1) return models.front();
  if (models.empty()) {
    throw Error("the server at " + place + " does not say which model it has (" +
                in_place_of_models(answer) + "): name it with --endpoint-model");
  }
  std::string names;
  for (size_t i = 0; i < std::min(models.size(), kShownNames); ++i) {
    names += (i > 0 ? ", " : "") + models[i].name;
  }
  if (models.size() > kShownNames) names += ", ...";
  throw Error("the server at " + place + " has " + std::to_string(models.size()) +
              " models: name one with --endpoint-model: " + names);
}

}  // namespace

ServedModel find_served_model(ChatTransport& transport, const std::optional<std::string>& named,
                              const std::optional<int64_t>& window, std::stop_token cancel) {
  if (named && window) return {*named, window, false};
  const ChatTransport::Answer answer = transport.get("models", cancel);
  if (answer.status == 401 || answer.status == 403) {
    throw Error("the server at " + transport.place() + " refuses the key (status " +
                std::to_string(answer.status) + "): set DSV4_API_KEY, --key-env or --key-command");
  }
  const std::vector<ServedModel> models = models_in(answer.ok() ? answer.body : "");
  ServedModel found;
  if (named) {
    found.name = *named;
    for (const ServedModel& each : models) {
      if (each.name == *named) found = each;
    }
  } else {
    found = one_of(models, transport.place(), answer);
  }
  if (window) {
    found.window = window;
    return found;
  }
  // llama.cpp's server may have been started with less than the model was trained with.
  const ChatTransport::Answer props = transport.get("/props", cancel);
  const auto json = props.ok() ? json_from_wire(props.body) : std::nullopt;
  const auto room =
      json ? number_at(*json, {"default_generation_settings", "n_ctx"}) : std::nullopt;
  if (room) found.window = std::min(found.window.value_or(*room), *room);
  return found;
}

}  // namespace dsv4::llm
