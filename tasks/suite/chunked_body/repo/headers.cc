#include "headers.h"

#include <cctype>

namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Takes a line off the front of a text; nothing when it has no end.
std::optional<std::string_view> take_line(std::string_view& text) {
  const size_t end = text.find("\r\n");
  if (end == text.npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 2);
  return line;
}

}  // namespace

std::optional<std::string> Head::field(std::string_view name) const {
  for (const auto& [known, value] : fields) {
    if (known == name) return value;
  }
  return std::nullopt;
}

bool Head::chunked() const {
  const auto coding = field("transfer-encoding");
  return coding && lower(*coding) == "chunked";
}

std::optional<Head> parse_head(std::string_view text) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  const auto first = take_line(text);
  if (!first || first->substr(0, kVersion.size()) != kVersion) return std::nullopt;
  Head head;
  for (const char c : first->substr(kVersion.size(), 3)) {
    if (c < '0' || c > '9') return std::nullopt;
    head.status = head.status * 10 + (c - '0');
  }
  while (const auto line = take_line(text)) {
    if (line->empty()) return head;
    const size_t colon = line->find(':');
    if (colon == line->npos || colon == 0) return std::nullopt;
    head.fields.emplace_back(lower(line->substr(0, colon)), trimmed(line->substr(colon + 1)));
  }
  return std::nullopt;
}
