#include "tasks/record.h"

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "agent/fix.h"

namespace dsv4::tasks {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr double kDataLoss = 0.3;  // of text the model reads but does not write

void write_text(const fs::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.flush();
  if (!out) throw std::runtime_error("cannot write " + file.string());
}

const ordered_json& field(const ordered_json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) {
    throw std::runtime_error(std::string("a task needs the field `") + name +
                             "`; make tasks with python3 -m llm.nano.tasks make");
  }
  return *found;
}

PlannedCall parse_call(const ordered_json& json) {
  PlannedCall planned;
  planned.call.name = field(json, "name").get<std::string>();
  planned.call.arguments = field(json, "arguments");
  planned.learn = json.value("learn", true);
  return planned;
}

std::vector<llm::Reply> replies_of(const PlannedTask& task) {
  std::vector<llm::Reply> replies;
  for (const auto& turn : task.turns) {
    llm::Reply& reply = replies.emplace_back();
    for (const PlannedCall& planned : turn) reply.calls.push_back(planned.call);
  }
  return replies;
}

// What a part of the context is for the training data.
class Roles {
 public:
  std::string of(const llm::RecordedSegment& segment) {
    if (segment.role == "assistant") return segment.sampled ? "assistant" : "user";
    if (segment.role == "system") return "system";
    if (segment.markup) return "user";
    if (segment.role == "tool") return "result";
    return parts_++ == 0 ? "repo" : "issue";
  }

 private:
  int parts_ = 0;
};

size_t occurrences(const std::string& text, const std::string& needle) {
  size_t count = 0;
  for (size_t at = text.find(needle); at != std::string::npos;
       at = text.find(needle, at + needle.size())) {
    ++count;
  }
  return count;
}

}  // namespace

PlannedTask parse_task(const std::string& line) {
  PlannedTask task;
  try {
    task.json = ordered_json::parse(line);
    for (const ordered_json& turn : field(task.json, "plan")) {
      auto& calls = task.turns.emplace_back();
      for (const ordered_json& call : turn) calls.push_back(parse_call(call));
    }
    for (const char* name : {"id", "test", "issue", "files", "bug"}) field(task.json, name);
  } catch (const ordered_json::exception& error) {
    throw std::runtime_error(std::string("not a task: ") + error.what());
  }
  return task;
}

fs::path write_task(const PlannedTask& task, const fs::path& folder) {
  const fs::path repo = folder / "repo";
  fs::create_directories(repo);
  const ordered_json& bug = field(task.json, "bug");
  const std::string broken = field(bug, "path").get<std::string>();
  for (const auto& [path, text] : field(task.json, "files").items()) {
    const fs::path file(path);
    if (file.is_absolute() || file.filename() != file) {
      throw std::runtime_error("a task's file must lie in its repository itself: " + path);
    }
    const ordered_json& content = path == broken ? field(bug, "content") : text;
    write_text(repo / file, content.get<std::string>());
  }
  const fs::path issue = folder / "issue.md";
  write_text(issue, "---\nrepo: repo\ntest: " + field(task.json, "test").get<std::string>() +
                        "\n---\n" + field(task.json, "issue").get<std::string>());
  return issue;
}

ordered_json training_segments(std::span<const llm::RecordedSegment> segments,
                               const PlannedTask& task) {
  ordered_json out = ordered_json::array();
  Roles roles;
  std::vector<const PlannedCall*> calls;
  for (const auto& turn : task.turns) {
    for (const PlannedCall& planned : turn) calls.push_back(&planned);
  }
  size_t begun = 0;  // calls whose invoke block was opened
  for (const llm::RecordedSegment& segment : segments) {
    double loss = 0;
    if (segment.sampled) {
      if (segment.markup) begun += occurrences(segment.text, "invoke name=\"");
      const bool learn = begun == 0 || begun > calls.size() || calls[begun - 1]->learn;
      loss = segment.markup || learn ? 1 : 0;
    } else if (!segment.markup) {
      loss = kDataLoss;
    }
    const std::string role = roles.of(segment);
    if (role == "system") loss = 0;
    out.push_back(
        {{"text", segment.text}, {"markup", segment.markup}, {"loss", loss}, {"role", role}});
  }
  return out;
}

std::optional<ordered_json> record(const PlannedTask& task, const RecordOptions& options,
                                   std::string* why) {
  const fs::path folder = options.scratch / "task";
  fs::remove_all(folder);
  agent::FixOptions fix;
  fix.issue = write_task(task, folder).string();
  fix.attempts = 1;
  fix.run_dir = (options.scratch / "run").string();
  fix.sandboxed = options.sandboxed;
  fs::remove_all(fix.run_dir);

  std::vector<llm::RecordedSegment> heard;
  const auto open = [&]() -> std::unique_ptr<llm::Conversation> {
    llm::ScriptedConversation::Options scripted;
    scripted.on_reply = [&heard](std::span<const llm::RecordedSegment> segments) {
      heard.assign(segments.begin(), segments.end());
    };
    return std::make_unique<llm::ScriptedConversation>(replies_of(task), std::move(scripted));
  };
  std::istringstream no_input;
  agent::Observer silent;
  const agent::Stop stop(fix.time_limit);
  const agent::FixReport report = agent::run_fix(fix, {no_input, open, silent, stop});
  if (report.status != agent::FixStatus::kPassed) {
    *why = report.error;
    return std::nullopt;
  }
  ordered_json line;
  line["id"] = field(task.json, "id");
  line["shape"] = "full";
  for (const char* name : {"family", "kind", "lang", "tries"}) {
    if (task.json.contains(name)) line[name] = task.json[name];
  }
  line["segments"] = training_segments(heard, task);
  return line;
}

}  // namespace dsv4::tasks
