#include "llm/serve/request_fields.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "llm/encoding_json.h"
#include "llm/serve/refused.h"
#include "llm/utf8.h"

namespace dsv4::llm::serve {
namespace {

constexpr size_t kMostStops = 16;
constexpr size_t kLongestStop = 1024;  // bytes

// Looked at before anything is built: values take a multiple of their bytes once they are read, and
// the members of an object are looked for one after the other.
void check_size(std::string_view text, const std::string& where) {
  int64_t values = 1;
  std::vector<int64_t> members;  // of the objects and lists that are open
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      ++values;
      members.push_back(0);
    } else if (c == ']' || c == '}') {
      if (!members.empty()) members.pop_back();
    } else if (c == ',') {
      ++values;
    } else if (c == ':' && !members.empty() && ++members.back() > kMostMembers) {
      throw Refused(where + ": an object has more than " + std::to_string(kMostMembers) +
                    " members");
    }
    if (values > kMostValues || members.size() > static_cast<size_t>(kMaxJsonDepth)) {
      throw Refused(where + ": more than " + std::to_string(kMostValues) + " values, or nested " +
                    "more than " + std::to_string(kMaxJsonDepth) + " deep");
    }
  }
}

std::vector<std::string> read_stop(Fields& fields) {
  const Json* json = fields.find("stop");
  if (!json) return {};
  std::vector<std::string> stop;
  const auto add = [&](const Json& value) {
    if (!value.is_string()) throw Refused("stop must be text, or a list of texts", "stop");
    stop.push_back(value.get<std::string>());
    if (stop.back().empty()) throw Refused("a text to stop at must not be empty", "stop");
    if (stop.back().size() > kLongestStop) {
      throw Refused("a text to stop at may have " + std::to_string(kLongestStop) + " bytes",
                    "stop");
    }
  };
  if (json->is_array()) {
    if (json->size() > kMostStops) {
      throw Refused("there may be at most " + std::to_string(kMostStops) + " texts to stop at",
                    "stop");
    }
    for (const Json& value : *json) add(value);
  } else {
    add(*json);
  }
  return stop;
}

bool zero(const Json& value) { return value.is_number() && value.get<double>() == 0.0; }
bool one(const Json& value) { return value.is_number() && value.get<double>() == 1.0; }
bool no(const Json& value) { return value.is_boolean() && !value.get<bool>(); }
bool yes(const Json& value) { return value.is_boolean() && value.get<bool>(); }
bool empty(const Json& value) { return (value.is_object() || value.is_array()) && value.empty(); }

}  // namespace

std::string cited(std::string_view text) {
  return "'" + utf8_replace_broken(text.substr(0, 60)) + "'";
}

Json parse_client_json(std::string_view text, const std::string& where) {
  check_size(text, where);
  try {
    return parse_foreign_json(text, where);
  } catch (const FormatError& error) {
    throw Refused(error.what(), "", "invalid_json");
  }
}

Fields::Fields(std::string_view body) : json_(parse_client_json(body, "the body")) {
  if (!json_.is_object()) throw Refused("the body of the request must be a JSON object");
}

const Json* Fields::find(const char* name) {
  seen_.insert(name);
  const auto found = json_.find(name);
  return found == json_.end() || found->is_null() ? nullptr : &*found;
}

const Json& Fields::required(const char* name) {
  const Json* value = find(name);
  if (!value) throw Refused("you must provide " + std::string(name), name);
  return *value;
}

std::optional<bool> Fields::boolean(const char* name) {
  const Json* value = find(name);
  if (!value) return std::nullopt;
  if (!value->is_boolean()) throw Refused(std::string(name) + " must be true or false", name);
  return value->get<bool>();
}

std::optional<double> Fields::number(const char* name, double least, double most) {
  const Json* value = find(name);
  if (!value) return std::nullopt;
  const double number =
      value->is_number() ? value->get<double>() : std::numeric_limits<double>::quiet_NaN();
  if (!(number >= least && number <= most)) {
    throw Refused(std::string(name) + " must be a number from " + python_json(least) + " to " +
                      python_json(most),
                  name);
  }
  return number;
}

std::optional<int64_t> Fields::integer(const char* name, int64_t least, int64_t most) {
  const Json* value = find(name);
  if (!value) return std::nullopt;
  const bool whole = value->is_number_unsigned()
                         ? value->get<uint64_t>() <= uint64_t{std::numeric_limits<int64_t>::max()}
                         : value->is_number_integer();
  const int64_t number = whole ? value->get<int64_t>() : 0;
  if (!whole || number < least || number > most) {
    throw Refused(std::string(name) + " must be a whole number from " + std::to_string(least) +
                      " to " + std::to_string(most),
                  name);
  }
  return number;
}

std::optional<std::string> Fields::text(const char* name) {
  const Json* value = find(name);
  if (!value) return std::nullopt;
  if (!value->is_string()) throw Refused(std::string(name) + " must be text", name);
  return value->get<std::string>();
}

void Fields::ignore(std::initializer_list<const char*> names) {
  for (const char* name : names) seen_.insert(name);
}

void Fields::only(const char* name, const std::function<bool(const Json&)>& harmless) {
  const Json* value = find(name);
  if (!value || harmless(*value)) return;
  throw Refused(std::string(name) + " is not supported with this value: leave it out", name,
                "unsupported_value");
}

void Fields::finish() const {
  for (const auto& [name, value] : json_.items()) {
    if (!value.is_null() && !seen_.contains(name)) {
      throw Refused("there is no field " + cited(name) + " that this server knows",
                    utf8_replace_broken(name.substr(0, 60)), "unknown_parameter");
    }
  }
}

Generation read_generation(Fields& fields) {
  Generation out;
  const auto model = fields.text("model");
  if (!model || model->empty()) throw Refused("you must provide a model", "model");
  out.model = *model;
  out.sampling.temperature = fields.number("temperature", 0.0, 2.0).value_or(1.0);
  out.sampling.top_p = fields.number("top_p", 0.0, 1.0).value_or(1.0);
  // 0 keeps the likeliest token alone, as the smallest share does.
  out.sampling.top_p = std::max(out.sampling.top_p, 1e-9);
  out.sampling.min_p = fields.number("min_p", 0.0, 1.0).value_or(0.0);
  const int64_t top_k = fields.integer("top_k", -1, std::numeric_limits<int>::max()).value_or(0);
  out.sampling.top_k = static_cast<int>(std::max<int64_t>(0, top_k));
  constexpr int64_t kAny = std::numeric_limits<int64_t>::max();
  if (const auto seed = fields.integer("seed", -kAny - 1, kAny)) {
    out.sampling.seed = static_cast<uint64_t>(*seed);
    out.seeded = true;
  }
  out.max_tokens = fields.integer("max_tokens", 1, kAny);
  out.stop = read_stop(fields);
  out.stream = fields.boolean("stream").value_or(false);
  if (const Json* options = fields.find("stream_options")) {
    if (!options->is_object()) throw Refused("stream_options must be an object", "stream_options");
    for (const auto& [name, value] : options->items()) {
      const bool known = name == "include_usage" || name == "include_obfuscation";
      if (!known || !value.is_boolean()) {
        throw Refused("stream_options." + utf8_replace_broken(name.substr(0, 60)) +
                          " is not known, or not true or false",
                      "stream_options");
      }
    }
    out.include_usage = options->value("include_usage", false);
    if (out.include_usage && !out.stream) {
      throw Refused("stream_options needs stream to be true", "stream_options");
    }
  }
  out.ignore_eos = fields.boolean("ignore_eos").value_or(false);
  fields.only("n", one);
  fields.only("frequency_penalty", zero);
  fields.only("presence_penalty", zero);
  fields.only("repetition_penalty", one);
  fields.only("logit_bias", empty);
  // Who asks, and bookkeeping of OpenAI's own servers.
  fields.ignore({"user", "metadata", "service_tier", "safety_identifier", "prompt_cache_key",
                 "prompt_cache_retention"});
  fields.only("store", no);
  // What other servers know, with the values that change nothing.
  fields.only("best_of", one);
  fields.only("echo", no);
  fields.only("length_penalty", one);
  fields.only("min_tokens", zero);
  fields.only("skip_special_tokens", yes);
  fields.only("stop_token_ids", empty);
  fields.only("suffix", [](const Json& value) { return value == ""; });
  fields.only("use_beam_search", no);
  return out;
}

}  // namespace dsv4::llm::serve
