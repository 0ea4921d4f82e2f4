#include "agent/serve/key.h"

#include <algorithm>
#include <cctype>
#include <fstream>

#include "agent/error.h"
#include "agent/printable.h"
#include "agent/taken_variable.h"

namespace dsv4::agent::serve {
namespace {

llm::Digest digest_of(std::string_view text) {
  llm::Sha256 sum;
  sum.add({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  return sum.finish();
}

Key checked(const std::string& secret, const std::string& from) {
  const bool plain = std::all_of(secret.begin(), secret.end(),
                                 [](unsigned char c) { return c > 0x20 && c < 0x7f; });
  if (secret.empty() || !plain) {
    throw UsageError("the key in " + from + " must be one word of printable ASCII characters");
  }
  return Key(secret);
}

}  // namespace

Key::Key(std::string_view secret) : digest_(digest_of(secret)) {}

bool Key::matches(std::string_view offered) const {
  const llm::Digest other = digest_of(offered);
  unsigned different = 0;
  for (size_t i = 0; i < digest_.size(); ++i) {
    different |= static_cast<unsigned>(digest_[i] ^ other[i]);
  }
  return different == 0;
}

Key key_from_environment(const std::string& variable) {
  const std::optional<std::string> value = take_variable(variable);
  const std::string shown = printable_line(variable, 100);
  if (!value) throw UsageError("--key-env: there is no environment variable " + shown);
  return checked(*value, "the environment variable " + shown);
}

Key key_from_file(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  const std::string shown = printable_line(file, 300);
  if (!in || !std::getline(in, line)) {
    throw UsageError("--key-file: " + shown + " cannot be read, or is empty");
  }
  if (line.ends_with('\r')) line.pop_back();
  return checked(line, shown);
}

std::optional<std::string_view> bearer(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() < kScheme.size()) return std::nullopt;
  const bool same =
      std::equal(kScheme.begin(), kScheme.end(), authorization.begin(),
                 [](char a, char b) { return a == std::tolower(static_cast<unsigned char>(b)); });
  if (!same) return std::nullopt;
  authorization.remove_prefix(kScheme.size());
  const size_t begin = authorization.find_first_not_of(' ');
  if (begin == std::string_view::npos) return std::nullopt;
  return authorization.substr(begin, authorization.find_last_not_of(' ') + 1 - begin);
}

}  // namespace dsv4::agent::serve
