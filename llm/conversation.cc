#include "llm/conversation.h"

#include "llm/error.h"

namespace dsv4::llm {

void to_json(nlohmann::ordered_json& json, const Usage& usage) {
  json = {{"context", usage.context},
          {"prefilled", usage.prefilled},
          {"restored", usage.restored},
          {"generated", usage.generated},
          {"reprefilled", usage.reprefilled}};
  if (usage.cached > 0) json["cached"] = usage.cached;
}

void from_json(const nlohmann::ordered_json& json, Usage& usage) {
  json.at("context").get_to(usage.context);
  json.at("prefilled").get_to(usage.prefilled);
  json.at("restored").get_to(usage.restored);
  json.at("generated").get_to(usage.generated);
  json.at("reprefilled").get_to(usage.reprefilled);
  usage.cached = json.value("cached", int64_t{0});
}

void Conversation::resume(std::span<const nlohmann::ordered_json>, const std::filesystem::path&) {
  throw Error("a conversation with " + model_name() + " cannot be resumed");
}

}  // namespace dsv4::llm
