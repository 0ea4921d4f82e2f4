#include "tasks/report.h"

#include <set>

#include "tasks/html.h"
#include "tests/catch.h"

using namespace dsv4::tasks;
using nlohmann::ordered_json;

namespace {

Task task(const std::string& id, const std::string& grade, const std::string& language) {
  Task out;
  out.id = id;
  out.grade = grade;
  out.language = language;
  return out;
}

SampleResult row(const std::string& id, int sample, bool resolved, int attempts = 1) {
  SampleResult out;
  out.task = id;
  out.sample = sample;
  out.status = resolved ? "passed" : "gave_up";
  out.resolved = resolved;
  out.attempts = attempts;
  out.generated = 100 * sample;
  out.model = "m";
  out.patch = resolved ? "diff\n" : "";
  out.directory = "runs/" + id + "/" + std::to_string(sample);
  return out;
}

Suite small_suite() {
  Suite suite;
  suite.name = "small";
  suite.format = "dsv4-agent";
  suite.tasks = {task("c", "several-files", "cpp"), task("a", "one-line", "python"),
                 task("b", "one-line", "cpp")};
  return suite;
}

}  // namespace

TEST_CASE("what runs cost is told where the model has a price") {
  std::vector<SampleResult> rows = {row("a", 1, true), row("b", 1, true), row("c", 1, false)};
  const Suite suite = small_suite();
  const ordered_json unpriced = make_report({suite, {}, rows, {}});
  REQUIRE(unpriced["cost"].is_null());
  REQUIRE(unpriced["tasks"][0]["samples"][0]["cost"].is_null());
  REQUIRE(report_markdown(unpriced).find("Cost") == std::string::npos);
  REQUIRE(report_html(unpriced).find("<dt>cost") == std::string::npos);
  rows[0].cost = 0.0125;
  rows[1].cost = 0.5;
  rows[2].cost = 1.0;
  const ordered_json report = make_report({suite, {}, rows, {}});
  REQUIRE(report["cost"]["total"] == 1.5125);
  REQUIRE(report["cost"]["median"] == 0.5);
  REQUIRE(report["cost"]["per_resolved"] == 0.75625);
  REQUIRE(report["tasks"][1]["samples"][0]["cost"] == 0.0125);
  REQUIRE(report_markdown(report).find("1.5 for 3 runs, 0.5 in the median and 1 at most; 0.7562") !=
          std::string::npos);
  REQUIRE(report_html(report).find("<dt>cost</dt><dd>1.5 in all") != std::string::npos);
}

TEST_CASE("runs are counted by grade, language and what became of them") {
  const Suite suite = small_suite();
  const ordered_json report = make_report(
      {suite, {}, {row("a", 1, true, 3), row("b", 1, false, 4), row("c", 1, true)}, {}});
  REQUIRE(report["score"]["resolved"] == 2);
  REQUIRE(report["score"]["percent"] == 66.7);
  REQUIRE(report["score"]["low"].get<double>() < 66.7);
  REQUIRE(report["by"]["grade"][0]["name"] == "one-line");
  REQUIRE(report["by"]["grade"][0]["percent"] == 50.0);
  REQUIRE(report["by"]["language"][0]["name"] == "cpp");
  REQUIRE(report["by"]["kind"].empty());
  REQUIRE(report["statuses"]["gave_up"] == 1);
  REQUIRE(report["pass_at"].empty());
  REQUIRE(report["by_attempt"].size() == 4);
  REQUIRE(report["by_attempt"][0]["resolved"] == 1);
  REQUIRE(report["by_attempt"][3]["resolved"] == 2);
  REQUIRE(report["comparison"].is_null());
  REQUIRE(report["tasks"][1]["samples"][0]["attempts"] == 3);
}

TEST_CASE("several samples give a pass@k curve that never falls") {
  const Suite suite = small_suite();
  std::vector<SampleResult> rows;
  for (int sample = 1; sample <= 4; ++sample) {
    rows.push_back(row("a", sample, true));
    rows.push_back(row("b", sample, sample == 2));
    rows.push_back(row("c", sample, false));
  }
  const ordered_json report = make_report({suite, {}, rows, {}});
  REQUIRE(report["score"]["percent"] == 41.7);
  REQUIRE(report["pass_at"].size() == 4);
  REQUIRE(report["pass_at"][0]["percent"] == 41.7);
  REQUIRE(report["pass_at"][3]["percent"] == 66.7);
  // Where a task has fewer, the curve ends there.
  rows.pop_back();
  REQUIRE(make_report({suite, {}, rows, {}})["pass_at"].size() == 3);
}

TEST_CASE("two runs are compared on the tasks that both have") {
  const Suite suite = small_suite();
  ReportInput::Other other{
      "before", {{"fingerprint", "f"}}, {row("a", 1, false), row("b", 1, true)}};
  const ordered_json c = make_report({suite,
                                      {{"fingerprint", "f"}},
                                      {row("a", 1, true), row("b", 1, true), row("c", 1, true)},
                                      other})["comparison"];
  REQUIRE(c["tasks"] == 2);
  REQUIRE(c["only_in_this_run"] == 1);
  REQUIRE(c["here"] == 100.0);
  REQUIRE(c["there"] == 50.0);
  REQUIRE(c["difference"] == 50.0);
  REQUIRE(c["resolved_only_here"] == 1);
  REQUIRE(c["mcnemar_p"] == 1.0);
  REQUIRE(c["changed"].size() == 1);
  REQUIRE(c["changed"][0]["id"] == "a");
  REQUIRE(c["same_suite"] == true);
}

TEST_CASE("what tasks and models are called can do nothing in a report") {
  const std::string evil = "<script>alert(1)</script>\" onload='x' | ` \x1b[31m \xff \xe2\x80\xae";
  Suite suite;
  suite.name = evil;
  suite.format = "dsv4-agent";
  suite.notes = {evil};
  suite.tasks = {task(evil, evil, evil)};
  suite.tasks[0].kind = evil;
  SampleResult bad = row(evil, 1, true);
  bad.status = evil;
  bad.reason = evil;
  bad.model = evil;
  bad.directory = "runs/x/1";
  const ordered_json report = make_report({suite, {{"flags", evil}}, {bad}, {}});
  const std::string html = report_html(report);
  for (const char* part : {"<script", "onload='", "\x1b", "\xff", "\xe2\x80\xae"}) {
    INFO(part);
    REQUIRE(html.find(part) == std::string::npos);
  }
  REQUIRE(html.find("&lt;script&gt;") != std::string::npos);
  const std::string markdown = report_markdown(report);
  for (size_t at = markdown.find('<'); at != markdown.npos; at = markdown.find('<', at + 1)) {
    REQUIRE(markdown.at(at - 1) == '\\');
  }
  REQUIRE(markdown.find("\x1b") == std::string::npos);
  REQUIRE(markdown.find("\\<script\\>") != std::string::npos);
}

TEST_CASE("a report is the same whenever it is made, and whole before anything has run") {
  const Suite suite = small_suite();
  const ReportInput input{suite, {}, {row("a", 1, true), row("b", 1, false)}, {}};
  REQUIRE(make_report(input).dump() == make_report(input).dump());
  const ordered_json empty = make_report({suite, {}, {}, {}});
  REQUIRE(empty["score"]["percent"] == 0.0);
  REQUIRE(report_html(empty).find("not run yet") != std::string::npos);
  REQUIRE(report_html(empty).find("nan") == std::string::npos);
}

TEST_CASE("predictions have one line for each task, as SWE-bench reads them") {
  const std::string lines = predictions({row("a", 1, true), row("a", 2, true), row("b", 1, false)});
  REQUIRE(lines ==
          "{\"instance_id\":\"a\",\"model_name_or_path\":\"m\",\"model_patch\":\"diff\\n\"}\n"
          "{\"instance_id\":\"b\",\"model_name_or_path\":\"m\",\"model_patch\":\"\"}\n");
}

TEST_CASE("numbers are shown as people write them") {
  REQUIRE(shown_number(0) == "0");
  REQUIRE(shown_number(1234567) == "1,234,567");
  REQUIRE(shown_number(-1234) == "-1,234");
  REQUIRE(shown_number(12.5) == "12.5");
  REQUIRE(shown_number(1234.5) == "1,234.5");
  REQUIRE(shown_number(100.0) == "100");
  REQUIRE(shown_number(0.0312) == "0.0312");
}
