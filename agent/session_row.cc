#include "agent/session_row.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "agent/printable.h"
#include "agent/run_directory.h"

namespace dsv4::agent {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr size_t kLongestLine = 1 << 20;  // of the event that says what a run is
constexpr std::streamoff kTail = 256 << 10;

// No exceptions: nothing when it cannot be read as an object.
std::optional<json> object(const std::string& text) {
  json value = json::parse(text, nullptr, false);
  if (!value.is_object()) return std::nullopt;
  return value;
}

std::string text_of(const json& value, const char* key) {
  const auto found = value.find(key);
  return found != value.end() && found->is_string() ? found->get<std::string>() : std::string();
}

int64_t number_of(const json& value, const char* key) {
  const auto found = value.find(key);
  return found != value.end() && found->is_number_integer() ? found->get<int64_t>() : 0;
}

std::optional<json> first_event(const fs::path& events) {
  std::ifstream in(events, std::ios::binary);
  std::string line(kLongestLine, '\0');
  in.read(line.data(), static_cast<std::streamsize>(line.size()));
  line.resize(static_cast<size_t>(in.gcount()));
  const size_t end = line.find('\n');
  if (end == std::string::npos) return std::nullopt;
  return object(line.substr(0, end));
}

std::optional<json> read_report(const fs::path& directory) {
  std::ifstream in(directory / "report.json", std::ios::binary);
  return object(std::string(std::istreambuf_iterator<char>(in), {}));
}

// The context as the last turn left it, for a run that came to no report.
int64_t last_context(const fs::path& events) {
  std::ifstream in(events, std::ios::binary | std::ios::ate);
  const std::streamoff size = in.tellg();
  in.seekg(std::max<std::streamoff>(0, size - kTail));
  int64_t context = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.find("\"context\":") == std::string::npos) continue;
    const auto event = object(line);
    if (event && text_of(*event, "event") == "reply") context = number_of(*event, "context");
  }
  return context;
}

llm::Usage usage_of(const json& tokens) {
  llm::Usage usage;
  if (!tokens.is_object()) return usage;
  usage.context = number_of(tokens, "context");
  usage.prefilled = number_of(tokens, "prefilled");
  usage.generated = number_of(tokens, "generated");
  usage.reprefilled = number_of(tokens, "reprefilled");
  return usage;
}

int64_t seconds_since_1970(const fs::path& file) {
  std::error_code error;
  const auto written = fs::last_write_time(file, error);
  if (error) return 0;
  const auto system = std::chrono::file_clock::to_sys(written);
  return std::chrono::duration_cast<std::chrono::seconds>(system.time_since_epoch()).count();
}

}  // namespace

std::string reported_status(const fs::path& directory) {
  const auto report = read_report(directory);
  return report ? text_of(*report, "status") : std::string();
}

std::optional<SessionRow> describe_run(const fs::path& directory) {
  const fs::path events = directory / "events.jsonl";
  std::error_code error;
  if (!fs::is_regular_file(fs::symlink_status(events, error))) return std::nullopt;
  SessionRow row;
  row.id = directory.filename().string();
  row.directory = directory;
  const auto run = first_event(events);
  if (run && text_of(*run, "event") == "run") {
    if (const std::string kind = text_of(*run, "kind"); !kind.empty()) row.kind = kind;
    row.began = number_of(*run, "began");
    row.repository = text_of(*run, "repository");
    row.title = text_of(*run, "title");
  }
  if (row.began == 0) row.began = seconds_since_1970(events);
  row.state = is_in_use(directory) ? "running" : "interrupted";
  if (!run && row.state != "running") return std::nullopt;  // it ended before it had begun
  const auto report = read_report(directory);
  if (report && row.state != "running" && !text_of(*report, "status").empty()) {
    row.state = text_of(*report, "status");
  }
  if (report && row.title.empty()) row.title = text_of(*report, "title");
  if (report && report->contains("tokens")) {
    row.tokens = usage_of((*report)["tokens"]);
  }
  row.tokens.context = std::max(row.tokens.context, last_context(events));
  return row;
}

std::string title_of(std::string_view issue) {
  constexpr size_t kLongest = 200;
  const size_t begin = issue.find_first_not_of("# \t\r\n");
  if (begin == std::string_view::npos) return "";
  issue.remove_prefix(begin);
  std::string title(issue.substr(0, std::min(issue.find('\n'), kLongest)));
  while (!title.empty() && static_cast<unsigned char>(title.back()) <= ' ') title.pop_back();
  return to_utf8(title);
}

}  // namespace dsv4::agent
