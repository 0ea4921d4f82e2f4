#include "llm/remote_conversation.h"

#include <algorithm>
#include <cmath>

#include "llm/error.h"

namespace dsv4::llm {
namespace {

using nlohmann::ordered_json;

constexpr const char* kNotDone = "Error: the call was not done.";
}  // namespace

RemoteConversation::RemoteConversation(std::shared_ptr<ChatTransport> transport,
                                       RemoteOptions options)
    : transport_(std::move(transport)), options_(std::move(options)) {}

int64_t RemoteConversation::estimate(size_t bytes) const {
  return static_cast<int64_t>(std::ceil(static_cast<double>(bytes) * tokens_per_byte_));
}

int64_t RemoteConversation::context() const {
  return full_ ? options_.window : known_ + estimate(unknown_bytes_);
}

void RemoteConversation::add(std::vector<WireMessage> added) {
  size_t bytes = 0;
  for (const WireMessage& message : added) bytes += bytes_of(message);
  const int64_t after = context() + estimate(bytes);
  if (after > options_.window) {
    throw WindowError("the context is full: it would hold about " + std::to_string(after) +
                      " tokens, but " + options_.model + " reads " +
                      std::to_string(options_.window) +
                      "; use a smaller repository or issue, or a model with a larger window");
  }
  unknown_bytes_ += bytes;
  bytes_ += bytes;
  for (WireMessage& message : added) parts_.push_back(std::move(message));
  open_calls_.clear();
}

void RemoteConversation::system(std::string_view text, const std::vector<ordered_json>& tools) {
  WireMessage message;
  message.role = "system";
  message.content = text;
  size_t bytes = 0;
  for (const ordered_json& tool : tools) bytes += text_for_wire(tool).size();
  add({message});
  tools_ = tools;
  unknown_bytes_ += bytes;
  bytes_ += bytes;
}

// Every call has its result, or servers refuse the conversation.
void RemoteConversation::answer_open_calls(std::vector<WireMessage>* added,
                                           const std::string& with) const {
  for (size_t i = added->size(); i < open_calls_.size(); ++i) {
    WireMessage message;
    message.role = "tool";
    message.content = with;
    message.call_id = open_calls_[i];
    added->push_back(message);
  }
}

void RemoteConversation::user(std::string_view part) {
  std::vector<WireMessage> added;
  answer_open_calls(&added, kNotDone);
  WireMessage message;
  message.role = "user";
  message.content = part;
  added.push_back(message);
  add(std::move(added));
}

void RemoteConversation::tool_results(std::span<const std::string> results) {
  if (results.size() > open_calls_.size()) {
    throw FormatError("tool results", "there are more than the last turn had calls");
  }
  std::vector<WireMessage> added;
  for (size_t i = 0; i < results.size(); ++i) {
    WireMessage message;
    message.role = "tool";
    message.content = results[i];
    message.call_id = open_calls_[i];
    added.push_back(message);
  }
  answer_open_calls(&added, kNotDone);
  add(std::move(added));
}

bool RemoteConversation::prefill(const PrefillProgress&, std::stop_token cancel) {
  return !cancel.stop_requested();
}

std::vector<WireMessage> RemoteConversation::messages() const {
  std::vector<WireMessage> out;
  for (const WireMessage& part : parts_) {
    if (part.role == "user" && !out.empty() && out.back().role == "user") {
      out.back().content += part.content;
    } else {
      out.push_back(part);
    }
  }
  return out;
}

std::unique_ptr<Conversation> RemoteConversation::fork() const {
  return std::make_unique<RemoteConversation>(*this);
}

Usage RemoteConversation::usage() const {
  Usage usage = usage_;
  usage.context = context();
  return usage;
}

ordered_json RemoteConversation::save(const std::filesystem::path&) {
  ordered_json parts = ordered_json::array();
  const bool first = saved_ == 0;
  for (; saved_ < parts_.size(); ++saved_) parts.push_back(to_wire(parts_[saved_]));
  ordered_json saved = {{"model", options_.model},   {"parts", std::move(parts)},
                        {"open_calls", open_calls_}, {"usage", usage()},
                        {"known", known_},           {"unknown_bytes", unknown_bytes_},
                        {"bytes", bytes_},           {"tokens_per_byte", tokens_per_byte_},
                        {"calls", calls_},           {"full", full_}};
  if (first) saved["tools"] = tools_;
  return saved;
}

void RemoteConversation::resume(std::span<const ordered_json> saved, const std::filesystem::path&) {
  try {
    for (const ordered_json& part : saved) {
      const auto model = part.at("model").get<std::string>();
      if (model != options_.model) {
        throw Error("the conversation was with " + model + ", but the server has " +
                    options_.model);
      }
      for (const ordered_json& each : part.at("parts")) parts_.push_back(message_from_wire(each));
      part.at("open_calls").get_to(open_calls_);
      part.at("usage").get_to(usage_);
      part.at("known").get_to(known_);
      part.at("unknown_bytes").get_to(unknown_bytes_);
      part.at("bytes").get_to(bytes_);
      part.at("tokens_per_byte").get_to(tokens_per_byte_);
      part.at("calls").get_to(calls_);
      part.at("full").get_to(full_);
      if (part.contains("tools")) tools_ = part["tools"].get<std::vector<ordered_json>>();
    }
  } catch (const ordered_json::exception& error) {
    throw FormatError("saved conversation", error.what());
  }
  saved_ = parts_.size();
}

}  // namespace dsv4::llm
