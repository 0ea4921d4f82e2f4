// The report as one page that needs nothing but itself: no script, and nothing is loaded.
#include <map>

#include "tasks/html.h"
#include "tasks/plots.h"
#include "tasks/report.h"

namespace dsv4::tasks {
namespace {

using nlohmann::ordered_json;

constexpr const char* kHead = R"(<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<meta name="color-scheme" content="light dark"/>
)";

constexpr const char* kStyle = R"(
:root { --ground: #ffffff; --text: #1b1f24; --dim: #59636e; --line: #d5dae0; --soft: #eef1f4;
  --good: #1a7f4b; --bad: #b3382c; --blue: #2f6fb3; --band: #2f6fb333; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171b; --text: #e4e8ec; --dim: #9aa4af;
  --line: #363d45; --soft: #20252b; --good: #4cc486; --bad: #f0806f; --blue: #6aa9e9;
  --band: #6aa9e933; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 1200px; background: var(--ground);
  color: var(--text); font: 15px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: .5rem 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; }
small, .dim { color: var(--dim); } small { font-size: .82rem; }
a { color: var(--blue); }
dl.about { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: 0; }
dl.about dt { color: var(--dim); } dl.about dd { margin: 0; }
p.score { font-size: 2.4rem; line-height: 1.2; margin: .6rem 0 0; font-weight: 600; }
.halves { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr));
  gap: 0 2.5rem; }
.row { display: grid; grid-template-columns: 11.5rem minmax(60px, 1fr) 19rem; gap: .8rem;
  align-items: center; padding: .15rem 0; }
@media (max-width: 640px) { .row { grid-template-columns: 1fr; gap: 0; padding: .35rem 0; } }
.value b { font-weight: 600; }
svg.strip { width: 100%; height: 16px; display: block; }
svg.curve { width: 100%; max-width: 480px; display: block; }
svg text { font: 11px system-ui, sans-serif; fill: var(--dim); }
svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }
.ground { fill: var(--soft); } .bar { fill: var(--blue); } .worse { fill: var(--bad); }
.box { fill: var(--band); stroke: none; }
.whisker { stroke: var(--text); stroke-width: 1.5; fill: none; }
.median { stroke: var(--text); stroke-width: 2; }
.grid { stroke: var(--line); stroke-width: 1; fill: none; }
.line { stroke: var(--blue); stroke-width: 2; fill: none; } .band { fill: var(--band); }
.point { fill: var(--blue); }
ul.points { list-style: none; margin: .3rem 0; padding: 0; display: flex; flex-wrap: wrap;
  gap: 0 1.2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; }
th, td { padding: .25rem .55rem; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top; white-space: nowrap; }
th { color: var(--dim); font-weight: 600; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td.why { white-space: normal; min-width: 16rem; max-width: 26rem; }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; }
)";

std::string text(const ordered_json& object, const char* name) {
  return escaped(object.value(name, std::string()));
}

std::string number(const ordered_json& object, const char* name) {
  return shown_number(object[name]);
}

std::string section(const char* title, const std::string& inside) {
  return "<section>\n<h2>" + std::string(title) + "</h2>\n" + inside + "</section>\n";
}

std::string head(const ordered_json& report) {
  const ordered_json& suite = report["suite"];
  const ordered_json& run = report["run"];
  const ordered_json& score = report["score"];
  std::string out = "<h1>" + text(suite, "name") + "</h1>\n<p class=\"score\">" +
                    number(score, "percent") + " %</p>\n<p>" + number(score, "resolved") + " of " +
                    number(score, "runs") + " runs resolved, on " + number(score, "tasks") +
                    " tasks; with 95 % confidence " + number(score, "low") + " to " +
                    number(score, "high") + " %.</p>\n<dl class=\"about\">\n";
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    out += "<dt>" + std::string(name) + "</dt><dd>" + value + "</dd>\n";
  };
  add("model", text(run, "model"));
  add("suite", text(suite, "format") + ", " + number(suite, "tasks") + " tasks, " +
                   text(suite, "fingerprint").substr(0, 16));
  add("runs of each task", number(run, "samples"));
  add("first seed", number(run, "seed"));
  add("time limit of a run", number(run, "time_limit") + " s");
  add("options of fix", text(run, "flags"));
  if (const ordered_json& cost = report["cost"]; !cost.is_null()) {
    std::string each = number(cost, "median") + " for a run in the median";
    if (!cost["per_resolved"].is_null()) {
      each += ", " + number(cost, "per_resolved") + " for each resolved";
    }
    add("cost", number(cost, "total") + " in all, " + each);
  }
  std::string statuses;
  for (const auto& [name, count] : report["statuses"].items()) {
    statuses += (statuses.empty() ? "" : ", ") + escaped(name) + " " + shown_number(count);
  }
  add("how runs ended", statuses);
  out += "</dl>\n";
  for (const ordered_json& note : suite["notes"]) {
    out += "<p class=\"dim\">Note: " + escaped(note.get<std::string>()) + ".</p>\n";
  }
  return out;
}

std::string shares(const ordered_json& report) {
  std::string out;
  for (const auto& [key, title] : {std::pair{"grade", "Resolved by grade"},
                                   {"language", "Resolved by language"},
                                   {"kind", "Resolved by kind"}}) {
    if (!report["by"][key].empty()) out += section(title, share_bars(report["by"][key]));
  }
  return out;
}

std::string curves(const ordered_json& report) {
  std::string out;
  if (!report["pass_at"].empty()) {
    out += section("pass@k: at least one of k runs resolves the task",
                   share_curve(report["pass_at"], "k"));
  }
  if (!report["by_attempt"].empty()) {
    out += section("Resolved within so many attempts of a run",
                   share_curve(report["by_attempt"], "attempts"));
  }
  return out.empty() ? out : "<div class=\"halves\">\n" + out + "</div>\n";
}

std::string comparison(const ordered_json& c) {
  if (c.is_null()) return "";
  std::string out =
      "<p>On the " + number(c, "tasks") + " tasks that both have: " + number(c, "here") +
      " % here, " + number(c, "there") + " % in " + text(c, "with") + ". Difference <b>" +
      number(c, "difference") + "</b> points, with 95 % confidence " + number(c, "low") + " to " +
      number(c, "high") + " (tasks resampled in pairs).</p>\n" +
      difference_bar(c["difference"].get<double>(), c["low"].get<double>(),
                     c["high"].get<double>()) +
      "<p>First runs: " + number(c, "resolved_only_here") + " tasks resolved only here, " +
      number(c, "resolved_only_there") +
      " only there; McNemar's exact p = " + number(c, "mcnemar_p") + ". " +
      number(c, "only_in_this_run") + " tasks are in this run only.</p>\n";
  if (!c["same_suite"].get<bool>()) {
    out +=
        "<p class=\"bad\">The two suites are not the same: tasks with the same name may "
        "differ.</p>\n";
  }
  if (!c["changed"].empty()) {
    out +=
        "<div class=\"wide\"><table>\n<tr><th>task</th><th class=\"number\">here</th>"
        "<th class=\"number\">there</th></tr>\n";
    for (const ordered_json& each : c["changed"]) {
      out += "<tr><td>" + text(each, "id") + "</td><td class=\"number\">" + number(each, "here") +
             " %</td><td class=\"number\">" + number(each, "there") + " %</td></tr>\n";
    }
    out += "</table></div>\n";
  }
  return section("Compared with another run", out);
}

std::string cell(const std::string& inside) { return "<td class=\"number\">" + inside + "</td>"; }

std::string links(const ordered_json& sample) {
  static const std::map<std::string, const char*> kNames = {{"run/transcript.md", "transcript"},
                                                            {"run/patch.diff", "patch"},
                                                            {"tests.log", "tests"},
                                                            {"stderr.log", "errors"},
                                                            {"trajectory-1.json", "trajectory"}};
  std::string out;
  for (const ordered_json& file : sample["files"]) {
    const auto name = kNames.find(file.get<std::string>());
    if (name == kNames.end()) continue;
    out += (out.empty() ? "<a href=\"" : " <a href=\"") + text(sample, "directory") + "/" +
           name->first + "\">" + name->second + "</a>";
  }
  return "<td>" + out + "</td>";
}

// What a person looks for first stands first: a narrow screen shows no more than that.
std::string sample_row(const ordered_json& task, const ordered_json& sample) {
  const bool resolved = sample["resolved"].get<bool>();
  std::string out = "<tr><td>" + text(task, "id") + "</td>";
  out += resolved ? "<td class=\"good\">resolved</td>" : "<td class=\"bad\">not resolved</td>";
  out += links(sample);
  for (const char* name : {"grade", "language", "kind"}) out += "<td>" + text(task, name) + "</td>";
  out += cell(number(sample, "sample")) + cell(number(sample, "seed"));
  out += "<td>" + text(sample, "status") + "</td><td class=\"why\">" + text(sample, "reason") +
         "</td>";
  for (const char* name : {"attempts", "turns", "tool_calls"}) out += cell(number(sample, name));
  for (const char* name : {"context", "prefilled", "generated", "reprefilled"}) {
    out += cell(number(sample["tokens"], name));
  }
  for (const char* name : {"total", "model", "tools", "tests"}) {
    out += cell(number(sample["seconds"], name));
  }
  out += cell(sample["cost"].is_null() ? "" : number(sample, "cost"));
  return out + "</tr>\n";
}

std::string tasks(const ordered_json& report) {
  constexpr const char* kWords[] = {"task", "result", "files", "grade", "language", "kind"};
  constexpr const char* kNumbers[] = {"attempts",  "turns",     "calls", "context",
                                      "prefilled", "generated", "again", "seconds",
                                      "model",     "tools",     "tests", "cost"};
  std::string out = "<div class=\"wide\"><table>\n<tr>";
  const auto head = [&](const char* name, const char* kind) {
    out += "<th" + std::string(kind) + ">" + name + "</th>";
  };
  for (const char* name : kWords) head(name, "");
  for (const char* name : {"run", "seed"}) head(name, " class=\"number\"");
  for (const char* name : {"status", "why"}) head(name, "");
  for (const char* name : kNumbers) head(name, " class=\"number\"");
  out += "</tr>\n";
  for (const ordered_json& task : report["tasks"]) {
    for (const ordered_json& sample : task["samples"]) out += sample_row(task, sample);
    if (task["samples"].empty()) {
      out += "<tr><td>" + text(task, "id") +
             "</td><td class=\"dim\">not run yet</td><td></td><td>" + text(task, "grade") +
             "</td><td>" + text(task, "language") + "</td><td>" + text(task, "kind") +
             "</td><td colspan=\"16\"></td></tr>\n";
    }
  }
  return out + "</table></div>\n";
}

}  // namespace

std::string report_html(const ordered_json& report) {
  const std::string title =
      text(report["suite"], "name") + ": " + number(report["score"], "percent") + " % resolved";
  return std::string(kHead) + "<title>" + title + "</title>\n<style>" + kStyle +
         "</style>\n</head>\n<body>\n" + head(report) + shares(report) + curves(report) +
         comparison(report["comparison"]) +
         section("What runs took: least | quarter to quarter | most",
                 spread_boxes(report["spreads"])) +
         section("Tasks", tasks(report)) + "</body>\n</html>\n";
}

}  // namespace dsv4::tasks
