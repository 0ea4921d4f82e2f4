#include "tools/go_events.h"

#include <nlohmann/json.hpp>

#include "tools/text.h"

namespace dsv4::tools {
namespace {

bool may_be_event(std::string_view line) {
  if (!line.ends_with('}')) return false;
  for (const char* first : {"{\"Time\":", "{\"Action\":", "{\"ImportPath\":"}) {
    if (line.starts_with(first)) return true;
  }
  return false;
}

}  // namespace

std::string without_go_events(std::string_view output) {
  if (output.find("\"Action\":") == output.npos) return std::string(output);
  std::string text;
  for (const std::string_view line : split_lines(output)) {
    if (may_be_event(line)) {
      const auto event = nlohmann::json::parse(line, nullptr, false);
      if (event.is_object() && event.contains("Action")) {
        const auto said = event.find("Output");
        if (said != event.end() && said->is_string()) text += said->get<std::string>();
        continue;
      }
    }
    text.append(line).push_back('\n');
  }
  return text;
}

}  // namespace dsv4::tools
