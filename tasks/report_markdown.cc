#include "tasks/html.h"
#include "tasks/report.h"

namespace dsv4::tasks {
namespace {

using nlohmann::ordered_json;

std::string text(const ordered_json& object, const char* name) {
  return markdown_escaped(object.value(name, std::string()));
}

std::string number(const ordered_json& object, const char* name) {
  return shown_number(object[name]);
}

std::string interval(const ordered_json& row) {
  return number(row, "percent") + " % (" + number(row, "low") + " to " + number(row, "high") + ")";
}

std::string shares(const ordered_json& rows, const char* title) {
  if (rows.empty()) return "";
  std::string out = "\n| " + std::string(title) +
                    " | tasks | resolved | of runs | share (95 %) |\n"
                    "|---|---:|---:|---:|---|\n";
  for (const ordered_json& row : rows) {
    out += "| " + text(row, "name") + " | " + number(row, "tasks") + " | " +
           number(row, "resolved") + " | " + number(row, "runs") + " | " + interval(row) + " |\n";
  }
  return out;
}

std::string curve(const ordered_json& rows, const char* key, const char* title) {
  if (rows.empty()) return "";
  std::string out = "\n| " + std::string(title) + " | share (95 %) |\n|---:|---|\n";
  for (const ordered_json& row : rows) {
    out += "| " + number(row, key) + " | " + interval(row);
    if (row.contains("resolved")) out += ", " + number(row, "resolved") + " resolved";
    out += " |\n";
  }
  return out;
}

std::string comparison(const ordered_json& c) {
  if (c.is_null()) return "";
  std::string out = "\n## Compared with " + text(c, "with") + "\n\nOn " + number(c, "tasks") +
                    " tasks that both have (" + number(c, "only_in_this_run") +
                    " are in this run only): " + number(c, "here") + " % here, " +
                    number(c, "there") + " % there; difference " + number(c, "difference") + " (" +
                    number(c, "low") + " to " + number(c, "high") +
                    ") points. First runs: " + number(c, "resolved_only_here") +
                    " resolved only here, " + number(c, "resolved_only_there") +
                    " only there; McNemar's exact p = " + number(c, "mcnemar_p") + ".\n";
  if (!c["same_suite"].get<bool>()) out += "\n**The two suites are not the same.**\n";
  if (c["changed"].empty()) return out;
  out += "\n| task | here | there |\n|---|---:|---:|\n";
  for (const ordered_json& each : c["changed"]) {
    out += "| " + text(each, "id") + " | " + number(each, "here") + " % | " +
           number(each, "there") + " % |\n";
  }
  return out;
}

std::string spreads(const ordered_json& rows) {
  std::string out =
      "\n## What runs took\n\n| of a run | least | quarter | median | three quarters "
      "| most | in all |\n|---|---:|---:|---:|---:|---:|---:|\n";
  for (const ordered_json& row : rows) {
    out += "| " + text(row, "name");
    for (const char* name : {"least", "quarter", "median", "three_quarters", "most", "total"}) {
      out += " | " + number(row, name);
    }
    out += " |\n";
  }
  return out;
}

std::string cost(const ordered_json& cost) {
  if (cost.is_null()) return "";
  std::string out = "\nCost, at the prices of config.toml: " + number(cost, "total") + " for " +
                    number(cost, "runs") + " runs, " + number(cost, "median") +
                    " in the median and " + number(cost, "most") + " at most";
  if (!cost["per_resolved"].is_null()) {
    out += "; " + number(cost, "per_resolved") + " for each that was resolved";
  }
  return out + ".\n";
}

std::string tasks(const ordered_json& rows) {
  std::string out =
      "\n## Tasks\n\n| task | grade | language | kind | resolved | of runs |\n"
      "|---|---|---|---|---:|---:|\n";
  for (const ordered_json& row : rows) {
    out += "| " + text(row, "id") + " | " + text(row, "grade") + " | " + text(row, "language") +
           " | " + text(row, "kind") + " | " + number(row, "resolved") + " | " +
           number(row, "runs") + " |\n";
  }
  return out;
}

}  // namespace

std::string report_markdown(const ordered_json& report) {
  const ordered_json& suite = report["suite"];
  const ordered_json& run = report["run"];
  const ordered_json& score = report["score"];
  std::string out = "# " + text(suite, "name") + ": " + number(score, "percent") +
                    " % resolved\n\n" + number(score, "resolved") + " of " + number(score, "runs") +
                    " runs on " + number(score, "tasks") + " tasks; with 95 % confidence " +
                    number(score, "low") + " to " + number(score, "high") +
                    " %.\n\nModel: " + text(run, "model") + ". Format: " + text(suite, "format") +
                    ". Runs of each task: " + number(run, "samples") + ", first seed " +
                    number(run, "seed") + ", time limit " + number(run, "time_limit") + " s.";
  if (!text(run, "flags").empty()) out += " Options of fix: " + text(run, "flags") + ".";
  out += "\n\nHow runs ended:";
  for (const auto& [name, count] : report["statuses"].items()) {
    out += " " + markdown_escaped(name) + " " + shown_number(count) + ".";
  }
  out += "\n";
  for (const ordered_json& note : suite["notes"]) {
    out += "\nNote: " + markdown_escaped(note.get<std::string>()) + ".\n";
  }
  out += shares(report["by"]["grade"], "grade") + shares(report["by"]["language"], "language") +
         shares(report["by"]["kind"], "kind");
  out += curve(report["pass_at"], "k", "pass@k") +
         curve(report["by_attempt"], "attempts", "within attempts");
  return out + comparison(report["comparison"]) + spreads(report["spreads"]) +
         cost(report["cost"]) + tasks(report["tasks"]);
}

}  // namespace dsv4::tasks
