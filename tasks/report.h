#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tasks/results.h"
#include "tasks/suite.h"

namespace dsv4::tasks {

// What a report is made of. It holds no date and nothing that is measured anew, so that the same
// results always give the same report.
struct ReportInput {
  const Suite& suite;
  std::map<std::string, std::string> about;  // as the folder of results has it
  std::vector<SampleResult> results;
  struct Other {
    std::string name;
    std::map<std::string, std::string> about;
    std::vector<SampleResult> results;
  };
  std::optional<Other> compared;  // with another run
  // Of all results: each run lists the files that are there to look at. Empty: none.
  std::filesystem::path folder = {};
};

// The report as JSON: `score`, `by` (grade, language, kind), `statuses`, `spreads`, `pass_at`,
// `by_attempt`, `tasks`, and `comparison` where there is one. Shares are in percent, rounded to a
// tenth; times are in seconds. tasks/README.md says what each is.
nlohmann::ordered_json make_report(const ReportInput& input);

// The same for people. Both show every number of the JSON that is not about single runs; the page
// those, too. Everything that came from a task or a model is escaped.
std::string report_markdown(const nlohmann::ordered_json& report);
std::string report_html(const nlohmann::ordered_json& report);

// The patches as SWE-bench's predictions, one JSON object a line: instance_id, model_name_or_path,
// model_patch. Only first samples: the format has one patch for each instance.
std::string predictions(const std::vector<SampleResult>& results);

// report.json, report.md, report.html and predictions.jsonl in input.folder, each whole or as it
// was. Returns the report.
nlohmann::ordered_json write_reports(const ReportInput& input);

}  // namespace dsv4::tasks
