#include <ostream>

#include "agent/github/access.h"
#include "agent/github/artifact.h"
#include "agent/github/job.h"
#include "agent/github/patch_check.h"
#include "agent/github/publish.h"
#include "agent/github/sticky.h"
#include "agent/github/words.h"
#include "agent/printable.h"

namespace dsv4::agent::github {
namespace {

class Publication {
 public:
  Publication(const Job& job, const JobTools& tools)
      : job_(job),
        tools_(tools),
        inputs_(read_inputs(job.environment())),
        event_(read_event(job.environment(), inputs_)) {}

  int run() {
    check_actor(tools_.api, event_, inputs_);
    // The title alone is used of what the issue says, and shown as text.
    if (!event_.has_text) look_at_issue(tools_.api, &event_);
    const Artifact artifact = read_artifact(job_.results(inputs_), event_, inputs_.repo);
    check_commit(tools_.api, event_, inputs_, artifact.meta.sha);
    event_.sha = artifact.meta.sha;
    log_ = job_.secrets().redact(artifact.test_log);
    outputs(artifact);
    if (!artifact.outcome.passed()) {
      say(tried_text(artifact.outcome) + outcome_text(event_, artifact.outcome, log_));
      tools_.log << "status: " << artifact.outcome.status << '\n';
      return end(artifact.outcome.status, artifact.outcome.exit_code);
    }
    return publish(artifact);
  }

 private:
  // How the job ends is written once, after all that may still fail.
  int end(const std::string& status, int code) const {
    job_.output("status", status);
    job_.output("exit-code", std::to_string(code));
    return code;
  }

  void outputs(const Artifact& artifact) const {
    job_.output("tests-passed", artifact.outcome.after == "passed" ? "true" : "false");
    job_.output("report", (job_.results(inputs_) / kReportFile).string());
    job_.output("patch-file",
                artifact.patch.empty() ? "" : (job_.results(inputs_) / kPatchFile).string());
  }

  int publish(const Artifact& artifact) {
    Publisher publisher(tools_.api, event_, inputs_);
    PullRequest made;
    try {
      const CheckedPatch patch =
          check_patch(artifact.patch, {job_.checkout(), event_.sha, inputs_.repo});
      publisher.push(patch, event_.sha);
      tools_.log << "branch: " << publisher.branch() << '\n';
      job_.output("branch", publisher.branch());
      made = publisher.open(pull_request_title(event_),
                            redacted(pull_request_body(event_, artifact.outcome, log_)));
    } catch (const UsageError& error) {
      return fail(artifact, error.what());
    } catch (const ApiError& error) {
      return fail(artifact, error.what());
    }
    job_.output("pr-url", made.url);
    tools_.log << (made.made ? "pull request: " : "pull request, of an earlier attempt: ")
               << printable_line(made.url, 300) << '\n';
    try {
      publisher.label(made.number, inputs_.labels);
    } catch (const ApiError& error) {
      tools_.log << error.what() << '\n';  // the pull request is there all the same
    }
    say(published_text("#" + std::to_string(made.number)) +
        outcome_text(event_, artifact.outcome, log_));
    return end(artifact.outcome.status, artifact.outcome.exit_code);
  }

  // The reason that the job ends with must not be lost to a comment that cannot be written.
  int fail(const Artifact& artifact, const std::string& why) {
    tools_.log << "dsv4-agent: " << printable(why) << '\n';
    try {
      say(refused_text(why) + outcome_text(event_, artifact.outcome, log_));
    } catch (const std::exception& error) {
      tools_.log << error.what() << '\n';
    }
    return end("not_published", kUsage);
  }

  std::string redacted(const std::string& text) const { return job_.secrets().redact(text); }

  void say(const std::string& text) {
    job_.summary("### Issue #" + std::to_string(event_.issue) + "\n\n" + text);
    Sticky(tools_.api, event_.repository, event_.issue).show(redacted(text));
  }

  const Job& job_;
  const JobTools& tools_;
  Inputs inputs_;
  Event event_;
  std::string log_;
};

}  // namespace

int publish_job(const Job& job, const JobTools& tools) { return Publication(job, tools).run(); }

}  // namespace dsv4::agent::github
