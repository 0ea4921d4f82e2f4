#include <algorithm>
#include <string>

#include "llm/error.h"
#include "llm/local_conversation.h"

namespace dsv4::llm {
namespace {

using nlohmann::ordered_json;

// One save() as it reads back; nothing of it is believed before it is checked.
struct Saved {
  int64_t from = 0;
  std::vector<int32_t> ids;
  int64_t computed = 0;
  int64_t sampled = 0;
  PromptBuilder::Place place;
  Usage usage;
};

Saved parse(const ordered_json& json) {
  try {
    Saved saved;
    json.at("from").get_to(saved.from);
    json.at("ids").get_to(saved.ids);
    json.at("computed").get_to(saved.computed);
    json.at("sampled").get_to(saved.sampled);
    json.at("place").at(0).get_to(saved.place.turn);
    json.at("place").at(1).get_to(saved.place.after_result);
    json.at("usage").get_to(saved.usage);
    return saved;
  } catch (const nlohmann::json::exception& error) {
    throw FormatError("saved conversation", error.what());
  }
}

}  // namespace

ordered_json LocalConversation::save(const std::filesystem::path& directory) {
  sequence_->save(directory);
  const int64_t computed = sequence_->position();
  std::vector<int32_t> fresh;
  if (saved_ < computed) fresh = sequence_->ids(saved_);
  const int64_t pending_from = std::max<int64_t>(0, saved_ - computed);
  fresh.insert(fresh.end(), pending_.begin() + static_cast<std::ptrdiff_t>(pending_from),
               pending_.end());
  const PromptBuilder::Place place = prompt_.place();
  ordered_json saved = {{"from", saved_},
                        {"ids", fresh},
                        {"computed", computed + computed_before_},
                        {"sampled", static_cast<int64_t>(pending_sampled_) - computed_before_},
                        {"place", {place.turn, place.after_result}},
                        {"usage", usage()}};
  if (saved_ == 0) saved["model"] = sequence_->identity();
  saved_ = context();
  return saved;
}

void LocalConversation::resume(std::span<const ordered_json> saved,
                               const std::filesystem::path& directory) {
  if (saved.empty()) return;
  std::vector<int32_t> ids = sequence_->ids(0);
  ids.insert(ids.end(), pending_.begin(), pending_.end());
  Saved last;
  std::vector<int64_t> places;  // where files end
  for (const ordered_json& json : saved) {
    if (json.contains("model") && json["model"] != sequence_->identity()) {
      throw Error("the conversation was with another model than " + model_->name +
                  " is now: name the one it began with");
    }
    last = parse(json);
    if (last.from != static_cast<int64_t>(ids.size())) {
      throw FormatError("saved conversation", "a part that should begin at " +
                                                  std::to_string(ids.size()) + " begins at " +
                                                  std::to_string(last.from));
    }
    ids.insert(ids.end(), last.ids.begin(), last.ids.end());
    places.push_back(last.computed);
  }
  const auto size = static_cast<int64_t>(ids.size());
  const auto known = [this](int32_t id) { return id >= 0 && id < model_->tokenizer.size(); };
  if (size > model_->window || !std::all_of(ids.begin(), ids.end(), known) ||
      last.computed < sequence_->position() || last.computed > size || last.sampled < 0 ||
      last.sampled > size - last.computed) {
    throw FormatError("saved conversation", "it is none of this model's");
  }
  prompt_.go_to(last.place);
  for (const int64_t place : places) {
    if (place > size || place <= sequence_->position()) continue;
    sequence_->load(directory, std::span(ids).first(static_cast<size_t>(place)));
  }
  const int64_t here = sequence_->position();
  pending_.assign(ids.begin() + static_cast<std::ptrdiff_t>(here), ids.end());
  computed_before_ = std::max<int64_t>(0, last.computed - here);
  pending_sampled_ = static_cast<size_t>(computed_before_ + last.sampled);
  usage_ = last.usage;
  saved_ = size;
}

}  // namespace dsv4::llm
