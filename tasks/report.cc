#include "tasks/report.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <set>

#include "agent/printable.h"
#include "tasks/compare.h"
#include "tasks/statistics.h"
#include "tasks/tree.h"

namespace dsv4::tasks {
namespace {

namespace fs = std::filesystem;
using agent::to_utf8;
using nlohmann::ordered_json;

double tenths(double value) { return std::round(value * 10) / 10; }

// Of money: a run may cost very little.
double millionths(double value) { return std::round(value * 1e6) / 1e6; }

// One task with all its samples.
struct Scored {
  const Task* task;
  std::vector<const SampleResult*> samples;
  size_t resolved() const {
    return static_cast<size_t>(std::count_if(samples.begin(), samples.end(),
                                             [](const auto* each) { return each->resolved; }));
  }
};

std::vector<Scored> by_task(const Suite& suite, const std::vector<SampleResult>& results) {
  std::map<std::string, std::vector<const SampleResult*>> rows;
  for (const SampleResult& row : results) rows[row.task].push_back(&row);
  std::vector<Scored> all;
  for (const Task& task : suite.tasks) {
    Scored& scored = all.emplace_back(Scored{&task, {}});
    const auto found = rows.find(task.id);
    if (found != rows.end()) scored.samples = found->second;
  }
  return all;
}

ordered_json percent_json(double share, size_t tasks) {
  const Interval interval = wilson(share, tasks);
  return {{"percent", tenths(100 * interval.value)},
          {"low", tenths(100 * interval.low)},
          {"high", tenths(100 * interval.high)}};
}

// The mean over tasks of the share of their runs that were resolved. Runs of one task are not
// independent, so the interval counts tasks.
ordered_json share_of(const std::vector<const Scored*>& tasks) {
  size_t runs = 0;
  size_t resolved = 0;
  size_t begun = 0;
  double sum = 0;
  for (const Scored* each : tasks) {
    const size_t count = each->samples.size();
    if (count == 0) continue;
    runs += count;
    resolved += each->resolved();
    ++begun;
    sum += static_cast<double>(each->resolved()) / static_cast<double>(count);
  }
  ordered_json json = {{"tasks", tasks.size()}, {"runs", runs}, {"resolved", resolved}};
  json.update(percent_json(begun == 0 ? 0 : sum / static_cast<double>(begun), begun));
  return json;
}

ordered_json groups(const std::vector<Scored>& all,
                    const std::function<const std::string&(const Task&)>& name) {
  std::vector<std::string> names;
  std::map<std::string, std::vector<const Scored*>> parts;
  for (const Scored& each : all) {
    const std::string& key = name(*each.task);
    if (key.empty()) continue;
    if (!parts.contains(key)) names.push_back(key);
    parts[key].push_back(&each);
  }
  // Grades in their order, all else by the alphabet.
  static const std::vector<std::string> kOrder = {"one-line", "one-function", "several-files",
                                                  "easy",     "medium",       "hard"};
  const auto rank = [](const std::string& each) {
    return std::pair(std::find(kOrder.begin(), kOrder.end(), each) - kOrder.begin(), each);
  };
  std::sort(names.begin(), names.end(),
            [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  ordered_json list = ordered_json::array();
  for (const std::string& each : names) {
    ordered_json row = {{"name", to_utf8(each)}};
    row.update(share_of(parts[each]));
    list.push_back(std::move(row));
  }
  return list;
}

ordered_json spread_json(const std::string& name, const std::vector<SampleResult>& results,
                         const std::function<double(const SampleResult&)>& value) {
  std::vector<double> values;
  double total = 0;
  for (const SampleResult& row : results) {
    if (!row.ran()) continue;
    values.push_back(value(row));
    total += values.back();
  }
  const Spread s = spread(values);
  return {{"name", name},
          {"least", tenths(s.least)},
          {"quarter", tenths(s.quarter)},
          {"median", tenths(s.median)},
          {"three_quarters", tenths(s.three_quarters)},
          {"most", tenths(s.most)},
          {"total", tenths(total)}};
}

ordered_json spreads(const std::vector<SampleResult>& results) {
  using R = const SampleResult&;
  ordered_json list = ordered_json::array();
  const auto add = [&](const char* name, const std::function<double(R)>& value) {
    list.push_back(spread_json(name, results, value));
  };
  add("turns", [](R r) { return r.turns; });
  add("tool calls", [](R r) { return r.tool_calls; });
  add("tokens of context", [](R r) { return static_cast<double>(r.context); });
  add("tokens prefilled", [](R r) { return static_cast<double>(r.prefilled); });
  add("tokens generated", [](R r) { return static_cast<double>(r.generated); });
  add("tokens computed again", [](R r) { return static_cast<double>(r.reprefilled); });
  add("seconds", [](R r) { return r.seconds; });
  add("seconds of the model", [](R r) { return r.model_seconds; });
  add("seconds of tools", [](R r) { return r.tool_seconds; });
  add("seconds of tests", [](R r) { return r.test_seconds; });
  return list;
}

// Of the runs whose model had a price; null where none had.
ordered_json cost_json(const std::vector<SampleResult>& results) {
  std::vector<double> costs;
  for (const SampleResult& row : results) {
    if (row.cost) costs.push_back(*row.cost);
  }
  if (costs.empty()) return nullptr;
  const Spread s = spread(costs);
  const auto resolved = std::count_if(results.begin(), results.end(), [](const SampleResult& row) {
    return row.resolved && row.cost;
  });
  const double total = std::accumulate(costs.begin(), costs.end(), 0.0);
  ordered_json json = {{"runs", costs.size()},
                       {"total", millionths(total)},
                       {"median", millionths(s.median)},
                       {"most", millionths(s.most)},
                       {"per_resolved", nullptr}};
  if (resolved > 0) json["per_resolved"] = millionths(total / static_cast<double>(resolved));
  return json;
}

// For every k up to the number of samples that all tasks have.
ordered_json pass_curve(const std::vector<Scored>& all) {
  size_t n = std::string::npos;
  for (const Scored& each : all) n = std::min(n, each.samples.size());
  ordered_json curve = ordered_json::array();
  if (all.empty() || n < 2) return curve;
  for (size_t k = 1; k <= n; ++k) {
    double sum = 0;
    for (const Scored& each : all) {
      sum += pass_at_k(static_cast<int>(each.samples.size()), static_cast<int>(each.resolved()),
                       static_cast<int>(k));
    }
    ordered_json row = {{"k", k}};
    row.update(percent_json(sum / static_cast<double>(all.size()), all.size()));
    curve.push_back(std::move(row));
  }
  return curve;
}

// Runs that were resolved within so many attempts of `fix`.
ordered_json attempt_curve(const std::vector<SampleResult>& results, size_t tasks) {
  int most = 0;
  for (const SampleResult& row : results) most = std::max(most, row.attempts);
  ordered_json curve = ordered_json::array();
  if (most < 2) return curve;
  for (int attempts = 1; attempts <= most; ++attempts) {
    const auto count = std::count_if(results.begin(), results.end(), [&](const SampleResult& row) {
      return row.resolved && row.attempts <= attempts;
    });
    ordered_json row = {{"attempts", attempts}, {"resolved", count}};
    row.update(percent_json(static_cast<double>(count) / static_cast<double>(results.size()),
                            std::min(tasks, results.size())));
    curve.push_back(std::move(row));
  }
  return curve;
}

// What there is to look at: relative to the run's directory.
ordered_json files_of(const fs::path& folder, const SampleResult& row) {
  ordered_json files = ordered_json::array();
  for (const char* name :
       {"run/transcript.md", "run/patch.diff", "tests.log", "stderr.log", "trajectory-1.json"}) {
    if (!folder.empty() && fs::exists(folder / row.directory / name)) files.push_back(name);
  }
  return files;
}

ordered_json sample_json(const SampleResult& row, const fs::path& folder) {
  return {{"sample", row.sample},
          {"seed", row.seed},
          {"status", to_utf8(row.status)},
          {"resolved", row.resolved},
          {"reason", to_utf8(row.reason)},
          {"attempts", row.attempts},
          {"turns", row.turns},
          {"tool_calls", row.tool_calls},
          {"tokens",
           {{"context", row.context},
            {"prefilled", row.prefilled},
            {"generated", row.generated},
            {"reprefilled", row.reprefilled}}},
          {"seconds",
           {{"total", tenths(row.seconds)},
            {"model", tenths(row.model_seconds)},
            {"tools", tenths(row.tool_seconds)},
            {"tests", tenths(row.test_seconds)}}},
          {"cost", row.cost ? ordered_json(millionths(*row.cost)) : ordered_json()},
          {"directory", to_utf8(row.directory)},
          {"files", files_of(folder, row)}};
}

ordered_json task_json(const Scored& scored, const fs::path& folder) {
  ordered_json json = {{"id", to_utf8(scored.task->id)},
                       {"grade", to_utf8(scored.task->grade)},
                       {"language", to_utf8(scored.task->language)},
                       {"kind", to_utf8(scored.task->kind)},
                       {"resolved", scored.resolved()},
                       {"runs", scored.samples.size()},
                       {"samples", ordered_json::array()}};
  for (const SampleResult* row : scored.samples)
    json["samples"].push_back(sample_json(*row, folder));
  return json;
}

std::string value_of(const std::map<std::string, std::string>& about, const std::string& name) {
  const auto found = about.find(name);
  return found == about.end() ? "" : to_utf8(found->second);
}

std::string model_of(const std::vector<SampleResult>& results) {
  for (const SampleResult& row : results) {
    if (!row.model.empty()) return to_utf8(row.model);
  }
  return "";
}

void replace_file(const fs::path& file, const std::string& text) {
  const fs::path fresh = file.string() + ".new";
  write_text(fresh, text);
  fs::rename(fresh, file);
}

}  // namespace

ordered_json make_report(const ReportInput& input) {
  const std::vector<Scored> all = by_task(input.suite, input.results);
  std::vector<const Scored*> every;
  for (const Scored& each : all) every.push_back(&each);
  ordered_json report;
  report["suite"] = {{"name", to_utf8(input.suite.name)},
                     {"format", input.suite.format},
                     {"tasks", input.suite.tasks.size()},
                     {"fingerprint", value_of(input.about, "fingerprint")},
                     {"notes", ordered_json::array()}};
  for (const std::string& note : input.suite.notes)
    report["suite"]["notes"].push_back(to_utf8(note));
  report["run"] = {{"model", model_of(input.results)},
                   {"samples", std::stoll("0" + value_of(input.about, "samples"))},
                   {"seed", std::stoull("0" + value_of(input.about, "seed"))},
                   {"time_limit", std::stod("0" + value_of(input.about, "time_limit_ms")) / 1000},
                   {"flags", value_of(input.about, "flags")}};
  report["score"] = share_of(every);
  report["pass_at"] = pass_curve(all);
  report["by_attempt"] = attempt_curve(input.results, all.size());
  report["by"] = {{"grade", groups(
                                all, [](const Task& t) -> auto& { return t.grade; })},
                  {"language", groups(
                                   all, [](const Task& t) -> auto& { return t.language; })},
                  {"kind", groups(
                               all, [](const Task& t) -> auto& { return t.kind; })}};
  std::map<std::string, size_t> statuses;
  for (const SampleResult& row : input.results) ++statuses[row.status];
  report["statuses"] = statuses;
  report["spreads"] = spreads(input.results);
  report["cost"] = cost_json(input.results);
  report["comparison"] = input.compared ? compare(input) : ordered_json(nullptr);
  report["tasks"] = ordered_json::array();
  for (const Scored& each : all) report["tasks"].push_back(task_json(each, input.folder));
  return report;
}

std::string predictions(const std::vector<SampleResult>& results) {
  std::string lines;
  for (const SampleResult& row : results) {
    if (row.sample != 1) continue;
    const ordered_json line = {{"instance_id", to_utf8(row.task)},
                               {"model_name_or_path", to_utf8(row.model)},
                               {"model_patch", to_utf8(row.patch)}};
    lines += line.dump() + "\n";
  }
  return lines;
}

ordered_json write_reports(const ReportInput& input) {
  ordered_json report = make_report(input);
  replace_file(input.folder / "report.json", report.dump(1) + "\n");
  replace_file(input.folder / "report.md", report_markdown(report));
  replace_file(input.folder / "report.html", report_html(report));
  replace_file(input.folder / "predictions.jsonl", predictions(input.results));
  return report;
}

}  // namespace dsv4::tasks
