#include "agent/event_log.h"

#include <fstream>

#include "agent/printable.h"

namespace dsv4::agent {

using nlohmann::ordered_json;

std::uintmax_t read_events(const std::filesystem::path& directory,
                           const std::function<bool(const ordered_json&)>& take) {
  std::ifstream in(directory / "events.jsonl", std::ios::binary);
  std::uintmax_t whole = 0;
  for (std::string line; std::getline(in, line) && !in.eof(); whole += line.size() + 1) {
    const ordered_json event = ordered_json::parse(line, nullptr, false);
    if (!event.is_object() || !take(event)) break;
  }
  return whole;
}

ordered_json json_of(const RepositoryContext& context) {
  ordered_json instructions = ordered_json::array();
  ordered_json files = ordered_json::array();
  ordered_json outlines = ordered_json::array();
  ordered_json left_out = ordered_json::array();
  for (const ContextFile& file : context.instructions) instructions.push_back(file.path);
  for (const ContextFile& file : context.files) {
    (file.outline ? outlines : files).push_back(file.path);
  }
  for (const LeftOut& file : context.left_out) {
    left_out.push_back({{"path", to_utf8(file.path)}, {"reason", file.reason}});
  }
  return {{"instructions", instructions},
          {"files", files},
          {"outlines", outlines},
          {"left_out", left_out}};
}

RepositoryContext context_from(const ordered_json& event) {
  RepositoryContext context;
  for (const ordered_json& path : event.value("instructions", ordered_json::array())) {
    context.instructions.push_back({path, "", false});
  }
  for (const ordered_json& path : event.at("files")) context.files.push_back({path, "", false});
  for (const ordered_json& path : event.at("outlines")) context.files.push_back({path, "", true});
  for (const ordered_json& file : event.at("left_out")) {
    context.left_out.push_back({file.at("path"), file.at("reason")});
  }
  return context;
}

}  // namespace dsv4::agent
