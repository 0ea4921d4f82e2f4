#include "tools/bytes_json.h"

#include <algorithm>

#include "tools/text.h"

namespace dsv4::tools {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

}  // namespace

nlohmann::ordered_json bytes_to_json(std::string_view bytes) {
  if (valid_utf8(bytes) == bytes) return std::string(bytes);
  std::string hex;
  for (const char c : bytes) {
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return {{"hex", hex}};
}

std::string bytes_from_json(const nlohmann::ordered_json& json) {
  if (!json.is_object()) return json.get<std::string>();
  const auto& hex = json.at("hex").get_ref<const std::string&>();
  std::string bytes;
  for (size_t at = 0; at + 1 < hex.size(); at += 2) {
    const size_t high = std::min<size_t>(kDigits.find(hex[at]), 15);
    const size_t low = std::min<size_t>(kDigits.find(hex[at + 1]), 15);
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

}  // namespace dsv4::tools
