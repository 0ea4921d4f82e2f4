#include "llm/call_place.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace dsv4::llm {
namespace {

using call_tag::kAny;
using call_tag::kAnyEnd;
using call_tag::kEndValue;

constexpr std::string_view kEndThought = "</think>";

// Every tag begins with '<' and has no other, so that a mismatch leaves at most its first byte.
uint8_t follow(std::string_view tag, uint8_t matched, char byte) {
  if (tag[matched] == byte) return static_cast<uint8_t>(matched + 1);
  return byte == '<' ? 1 : 0;
}

}  // namespace

CallPlace::CallPlace(const CallGrammar& grammar, bool thinking, std::string& value)
    : grammar_(&grammar), state_(thinking ? State::kThought : State::kText), value_(&value) {
  value.clear();
}

CallPlace CallPlace::trial() const {
  CallPlace copy = *this;
  copy.value_ = nullptr;
  return copy;
}

bool CallPlace::advance(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [this](char byte) { return push(byte); });
}

bool CallPlace::push(char byte) {
  switch (state_) {
    case State::kThought:
      matched_[0] = follow(kEndThought, matched_[0], byte);
      if (matched_[0] == kEndThought.size()) begin(State::kText, nullptr);
      return true;
    case State::kText:
      return push_text(byte);
    case State::kValue:
      return look_up() && push(byte);
    case State::kFree:
      return push_free(byte);
    case State::kJson:
      return push_json(byte);
    case State::kDone:
      return false;
    default:
      return push_continuation(byte);
  }
}

bool CallPlace::push_text(char byte) {
  matched_[0] = follow(kAny, matched_[0], byte);
  matched_[1] = follow(kAnyEnd, matched_[1], byte);
  if (matched_[1] == kAnyEnd.size()) return false;
  if (matched_[0] == kAny.size()) begin(State::kOpening, grammar_->rest_of_open);
  return true;
}

bool CallPlace::push_free(char byte) {
  if (value_ != nullptr) *value_ += byte;
  matched_[0] = follow(kEndValue, matched_[0], byte);
  if (matched_[0] < kEndValue.size()) return true;
  if (value_ != nullptr) value_->resize(value_->size() - kEndValue.size());
  end_written_value();
  begin(State::kEndLine, grammar_->rest_of_end_value);
  return true;
}

bool CallPlace::push_json(char byte) {
  const bool in_tag = !json_->in_string() && matched_[0] > 0;
  if (in_tag || (byte == '<' && json_->complete())) {
    if (kEndValue[matched_[0]] != byte) return false;
    if (++matched_[0] < kEndValue.size()) return true;
    end_written_value();
    begin(State::kEndLine, grammar_->rest_of_end_value);
    return true;
  }
  if (value_ != nullptr) *value_ += byte;
  if (!json_->push(byte)) return false;
  // A reader takes the first end tag it finds, in a string as well.
  matched_[0] = json_->in_string() ? follow(kEndValue, matched_[0], byte) : 0;
  return matched_[0] < kEndValue.size();
}

bool CallPlace::push_continuation(char byte) {
  range_ = continuations_->narrow(range_, offset_, byte);
  if (range_.begin == range_.end) return false;
  ++offset_;
  const Continuations::One& first = (*continuations_)[range_.begin];
  if (first.text.size() == offset_) take(first);
  return true;
}

void CallPlace::begin(State state, std::shared_ptr<const Continuations> continuations) {
  state_ = state;
  matched_[0] = matched_[1] = 0;
  offset_ = 0;
  continuations_ = std::move(continuations);
  range_ = {0, continuations_ ? continuations_->size() : 0};
}

// Moves past a whole continuation.
void CallPlace::take(const Continuations::One& whole) {
  const size_t means = whole.means;
  switch (state_) {
    case State::kOpening:
      begin(State::kCall, grammar_->first_call);
      break;
    case State::kCall:
      if (means == CallGrammar::kEnd) {
        begin(State::kDone, nullptr);
        break;
      }
      tool_ = means;
      next_parameter_ = 0;
      said_ = std::make_shared<const Said>(Said{said_, true, means, 0, {}, !said_ || said_->known});
      begin(State::kParameter, tool().after.front());
      break;
    case State::kParameter:
      if (means == CallGrammar::kEnd) {
        begin(State::kCall, grammar_->next_call);
      } else {
        next_parameter_ = means;
        begin(State::kValue, nullptr);
      }
      break;
    case State::kChosen:
      end_value(whole.text.substr(0, whole.data), true);
      [[fallthrough]];
    case State::kEndLine:
      ++next_parameter_;
      begin(State::kParameter, tool().after[next_parameter_]);
      break;
    default:
      break;
  }
}

void CallPlace::end_value(std::string value, bool known) {
  known &= said_->known;
  said_ = std::make_shared<const Said>(
      Said{said_, false, tool_, next_parameter_, std::move(value), known});
}

void CallPlace::end_written_value() {
  end_value(value_ != nullptr ? *value_ : std::string(), value_ != nullptr);
}

bool CallPlace::look_up() {
  if (state_ != State::kValue) return true;
  looked_up_ = true;
  const CallGrammar::Parameter& parameter = tool().parameters[next_parameter_];
  if (value_ != nullptr) value_->clear();
  if (!parameter.text) {
    begin(State::kJson, nullptr);
    json_.emplace(parameter.shape);
    return true;
  }
  if (grammar_->choices && !said_->known) return false;
  auto values = values_here();
  const State kind = values ? State::kChosen : State::kFree;
  begin(kind, std::move(values));
  return true;
}

// Null: any text.
std::shared_ptr<const Continuations> CallPlace::values_here() const {
  const CallGrammar::Parameter& parameter = tool().parameters[next_parameter_];
  std::vector<const Said*> all;
  for (const Said* said = said_.get(); said != nullptr; said = said->before.get()) {
    all.push_back(said);
  }
  std::reverse(all.begin(), all.end());
  std::vector<std::string> calls;
  nlohmann::ordered_json arguments = nlohmann::ordered_json::object();
  for (const Said* said : all) {
    if (said->call) {
      calls.push_back(grammar_->tools[said->tool].name);
      arguments.clear();
      continue;
    }
    const CallGrammar::Parameter& given = grammar_->tools[said->tool].parameters[said->parameter];
    arguments[given.name] = given.text ? nlohmann::ordered_json(said->value)
                                       : nlohmann::ordered_json::parse(said->value, nullptr, false);
  }
  calls.pop_back();  // this one
  using Json = nlohmann::ordered_json;
  const Json key = {calls, tool_, next_parameter_, arguments};
  const std::string name = key.dump(-1, ' ', false, Json::error_handler_t::replace);
  const auto known = looked_->find(name);
  if (known != looked_->end()) return known->second;
  std::optional<std::vector<std::string>> values;
  if (grammar_->choices) values = grammar_->choices(calls, tool().name, parameter.name, arguments);
  if (!values && !parameter.values.empty()) values = parameter.values;
  std::shared_ptr<const Continuations> found;
  if (values) found = std::make_shared<const Continuations>(*std::move(values));
  if (found && found->size() == 0) found = nullptr;
  looked_->emplace(name, found);
  return found;
}

bool CallPlace::is_free() const {
  return state_ == State::kThought || state_ == State::kText || state_ == State::kFree;
}

bool CallPlace::in_json_string() const { return state_ == State::kJson && json_->in_string(); }

CallPlace::Begun CallPlace::begun() const {
  const auto rest = [](std::string_view tag, uint8_t matched) {
    return matched == 0 ? std::string_view() : tag.substr(matched);
  };
  switch (state_) {
    case State::kText:
      return {{rest(kAny, matched_[0]), rest(kAnyEnd, matched_[1])}};
    case State::kFree:
    case State::kJson:
      return {{rest(kEndValue, matched_[0]), {}}};
    default:
      return {};
  }
}

CallPlace::Bytes CallPlace::next() const {
  Bytes bytes;
  if (is_free()) return bytes.set();
  if (state_ == State::kValue) {
    CallPlace there = trial();
    return there.look_up() ? there.next() : bytes;
  }
  if (state_ == State::kJson) {
    const bool in_tag = !json_->in_string() && matched_[0] > 0;
    if (!in_tag) bytes = json_->next();
    if (in_tag || json_->complete())
      bytes[static_cast<unsigned char>(kEndValue[matched_[0]])] = true;
    if (!in_tag && matched_[0] + 1U == kEndValue.size()) bytes['>'] = false;
    return bytes;
  }
  for (size_t i = range_.begin; i < range_.end;) {
    const char byte = (*continuations_)[i].text[offset_];
    bytes[static_cast<unsigned char>(byte)] = true;
    i = continuations_->narrow(range_, offset_, byte).end;
  }
  return bytes;
}

bool CallPlace::may_end() const { return state_ == State::kText || state_ == State::kDone; }

bool CallPlace::between_calls() const {
  return state_ == State::kCall && continuations_ == grammar_->next_call;
}

std::optional<bool> CallPlace::in_value(char byte) const {
  if (state_ == State::kJson) {
    const bool in_tag = !json_->in_string() && matched_[0] > 0;
    return !in_tag && !(json_->complete() && byte == '<');
  }
  if (state_ != State::kChosen) return state_ == State::kFree;
  const auto& first = (*continuations_)[range_.begin];
  for (size_t i = range_.begin; i < range_.end; ++i) {
    if ((offset_ < (*continuations_)[i].data) != (offset_ < first.data)) return std::nullopt;
  }
  return offset_ < first.data;
}

std::string CallPlace::name() const {
  if (continuations_ || matched_[0] > 0 || matched_[1] > 0 || state_ == State::kValue) return {};
  std::string name{static_cast<char>(state_)};
  if (state_ == State::kFree || state_ == State::kJson) {
    name += std::to_string(tool_) + "." + std::to_string(next_parameter_);
  }
  return state_ == State::kJson ? name + json_->key() : name;
}

CallPlace::Written CallPlace::written() const {
  if (!continuations_) return {};
  const Continuations::One& one = (*continuations_)[range_.begin];
  return {std::string_view(one.text).substr(0, offset_), std::min(offset_, one.data)};
}

}  // namespace dsv4::llm
