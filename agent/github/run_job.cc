#include <fstream>
#include <iostream>
#include <sstream>

#include "agent/error.h"
#include "agent/fix_options.h"
#include "agent/github/access.h"
#include "agent/github/artifact.h"
#include "agent/github/event.h"
#include "agent/github/job.h"
#include "agent/github/progress.h"
#include "agent/github/untrusted.h"
#include "agent/github/words.h"
#include "agent/live_view.h"
#include "agent/observers.h"
#include "agent/printable.h"

namespace dsv4::agent::github {
namespace {

namespace fs = std::filesystem;

// As front matter takes a value, whatever is in it.
std::string quoted(const std::string& value) {
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// The issue as `fix` reads it. What the inputs say stands in front matter of our own, before the
// text, so that nothing in the text is taken for it.
std::string issue_file(const Event& event, const Inputs& inputs, std::ostream& log) {
  const auto cleaned = [&log](const Cleaned& part, const char* name) {
    for (const std::string& each : part.removed) {
      log << "left out of the " << name << ": " << each << '\n';
    }
    return part.text;
  };
  std::ostringstream out;
  if (inputs.setup) out << "---\nsetup: " << quoted(*inputs.setup) << "\n---\n";
  const std::string title = cleaned(clean_title(event.title), "title");
  out << "# " << (title.empty() ? "Issue " + std::to_string(event.issue) : title) << "\n\n"
      << cleaned(clean_untrusted(event.body), "issue") << '\n';
  if (!event.comment.empty()) {
    out << "\n## Comment of " << event.actor << "\n\n"
        << cleaned(clean_untrusted(event.comment), "comment") << '\n';
  }
  return out.str();
}

void clear(const fs::path& results) {
  fs::create_directories(results);
  for (const char* name :
       {kMetaFile, kPatchFile, kReportFile, kSummaryFile, kTestLog, "issue.md"}) {
    fs::remove(results / name);
  }
}

std::string read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// Everything that the other job needs. meta.json is last: it says that all is there.
void write_results(const Job& job, const fs::path& results, Meta meta, const FixReport& report,
                   const std::string& test_log, const std::string& summary) {
  job.write(results / kReportFile,
            report.json().dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  job.write(results / kTestLog, to_utf8(test_log));
  job.write(results / kSummaryFile, summary);
  if (!report.patch.empty()) {
    const std::string patch = job.secrets().redact(read_file(report.patch));
    job.write(results / kPatchFile, patch);
    if (!patch.empty()) meta.patch_sha256 = sha256_of(patch);
  }
  job.write(results / kMetaFile, meta_json(meta).dump(2) + "\n");
}

void write_outputs(const Job& job, const fs::path& results, const FixReport& report) {
  const bool patch = fs::exists(results / kPatchFile);
  job.output("patch-file", patch ? (results / kPatchFile).string() : "");
  job.output("report", (results / kReportFile).string());
  job.output("tests-passed", report.after.value_or(false) ? "true" : "false");
}

// Everything before the run: from here on the event is one to act on.
void prepare(const Job& job, const JobTools& tools, const Inputs& inputs, Event* event,
             const std::string& head) {
  check_actor(tools.api, *event, inputs);
  look_at_issue(tools.api, event);
  check_commit(tools.api, *event, inputs, head);
  if (const auto key = kept_credentials(job.checkout())) {
    throw Refused("the checkout keeps a token (" + printable_line(*key, 100) +
                  "): give actions/checkout `persist-credentials: false`");
  }
  tools.log << "issue #" << event->issue << " of " << event->repository << ", asked for by "
            << event->actor << ", commit " << head << '\n';
}

}  // namespace

int run_job(const Job& job, const JobTools& tools) {
  const Inputs inputs = read_inputs(job.environment());
  Event event = read_event(job.environment(), inputs);
  const fs::path checkout = job.checkout();
  const std::string head = head_of(checkout);
  const fs::path results = job.results(inputs);
  clear(results);  // of an earlier run on the same machine
  prepare(job, tools, inputs, &event, head);
  job.write(results / "issue.md", issue_file(event, inputs, tools.log));

  std::vector<std::string> arguments = {(results / "issue.md").string(),
                                        "--repo=" + (checkout / inputs.repo).string()};
  arguments.insert(arguments.end(), inputs.fix_flags.begin(), inputs.fix_flags.end());
  FixArguments parsed = parse_fix_arguments(arguments, read_user_config());
  parsed.options.model = parsed.model;
  if (!parsed.model && !parsed.options.endpoint) parsed.options.model_name = "nano";

  Sticky sticky(tools.hasty, event.repository, event.issue);
  Progress progress(event, inputs.progress ? &sticky : nullptr, tools.log);
  LiveView view(tools.log, {});
  Observers observers({&view, &progress});
  std::istringstream nothing;
  const Stop stop(parsed.options.time_limit, tools.stop.token());
  const FixEnvironment environment{nothing, [&] { return tools.open(parsed, observers); },
                                   observers, stop};
  const FixReport report = run_fix(parsed.options, environment);

  const Outcome outcome = read_outcome(nlohmann::json(report.json()));
  const std::string text = outcome_text(event, outcome, progress.test_log());
  write_results(job, results,
                {event.repository, event.issue, head, event.branch, inputs.repo, event.run_id, ""},
                report, progress.test_log(), text);
  write_outputs(job, results, report);
  job.summary("### Issue #" + std::to_string(event.issue) + "\n\n" + text);
  if (!report.error.empty()) tools.log << printable(report.error) << '\n';
  tools.log << "status: " << outcome.status << ", results: " << results.string() << '\n';
  job.output("status", outcome.status);  // once, after all that may still fail
  job.output("exit-code", std::to_string(report.exit_code()));
  return report.exit_code();
}

}  // namespace dsv4::agent::github
