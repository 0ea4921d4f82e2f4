#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "llm/sha256.h"

namespace dsv4::agent::serve {

// The key that clients have to know. Only its digest is kept, and comparing takes the same time
// whatever is offered.
class Key {
 public:
  explicit Key(std::string_view secret);
  bool matches(std::string_view offered) const;

 private:
  llm::Digest digest_;
};

// From the environment variable, which nobody can read from this process's environment afterwards,
// or from the first line of the file. Throws UsageError when it is
// not there, empty, or no single word of printable ASCII.
Key key_from_environment(const std::string& variable);
Key key_from_file(const std::string& file);

// The key in the value of an Authorization header; nothing where it is not "Bearer KEY".
std::optional<std::string_view> bearer(std::string_view authorization);

}  // namespace dsv4::agent::serve
