#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "llm/serve/chat_request.h"

namespace dsv4::llm::serve {

using Json = nlohmann::ordered_json;

// The fields of one request, each asked for at most once; what nobody asked for is refused in the
// end. Every method throws Refused when the value has the wrong type or is out of range. A null is
// as good as left out.
class Fields {
 public:
  // Reads the body, which must be a JSON object.
  explicit Fields(std::string_view body);

  const Json* find(const char* name);
  const Json& required(const char* name);
  std::optional<bool> boolean(const char* name);
  std::optional<double> number(const char* name, double least, double most);
  std::optional<int64_t> integer(const char* name, int64_t least, int64_t most);
  std::optional<std::string> text(const char* name);

  // Fields that change nothing here.
  void ignore(std::initializer_list<const char*> names);
  // A field that may only have values for which `harmless` holds.
  void only(const char* name, const std::function<bool(const Json&)>& harmless);

  // Refuses what was not asked for.
  void finish() const;

 private:
  Json json_;
  std::set<std::string> seen_;
};

// Reads what both kinds of requests share.
Generation read_generation(Fields& fields);

// Strict JSON, neither too deep nor with too many values. Throws Refused.
Json parse_client_json(std::string_view text, const std::string& where);

std::string cited(std::string_view text);  // for a message, shortened

}  // namespace dsv4::llm::serve
