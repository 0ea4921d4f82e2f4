#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "agent/fix.h"
#include "agent/fix_options.h"
#include "agent/github/api.h"
#include "agent/github/environment.h"
#include "agent/github/inputs.h"

namespace dsv4::agent::github {

// What a job of GitHub Actions gives the program, and where it takes results from.
class Job {
 public:
  Job(Environment environment, Secrets secrets)
      : environment_(std::move(environment)), secrets_(std::move(secrets)) {}

  const Environment& environment() const { return environment_; }
  const Secrets& secrets() const { return secrets_; }

  // An output of the step: one line of GITHUB_OUTPUT; nowhere when that is not set.
  void output(const std::string& name, const std::string& value) const;
  // Appends Markdown to the summary of the step.
  void summary(const std::string& markdown) const;
  // A file of the results, without secrets. Throws UsageError.
  void write(const std::filesystem::path& file, const std::string& text) const;

  // The checkout that the job has made. Throws UsageError.
  std::filesystem::path checkout() const;
  // The directory of the results, absolute, outside of the checkout. Throws UsageError.
  std::filesystem::path results(const Inputs& inputs) const;
  // INPUT_TOKEN or GITHUB_TOKEN. Throws UsageError.
  std::string token() const;
  std::string api_url() const;

 private:
  void append(const char* variable, const std::string& text) const;

  Environment environment_;
  Secrets secrets_;
};

// The commit that a checkout is at. Throws UsageError.
std::string head_of(const std::filesystem::path& checkout);

// Whether the checkout keeps a token in its configuration (git's header for GitHub, or a password
// in an address), where commands that run in it could read it. Names the key.
std::optional<std::string> kept_credentials(const std::filesystem::path& checkout);

// What the two jobs need besides.
struct JobTools {
  Api& api;           // patient: rate limits are waited for
  Api& hasty;         // asks once: for progress, which may be left out
  std::ostream& log;  // a LogBuffer behind it
  const Stop& stop;
  // Opens the engine that these name; the observer hears of its trouble.
  std::function<std::unique_ptr<llm::Conversation>(const FixArguments&, Observer&)> open;
};

// The agent's job: from the event to the results. Returns the exit code of `fix`; 0 when the event
// is about something else. Throws Refused, UsageError, ApiError, http::Error.
int run_job(const Job& job, const JobTools& tools);

// The job that publishes: a draft pull request of a patch that passed, else a comment that says
// what was tried. Runs no code of the repository. Returns the exit code of the run, 2 when the
// patch is refused. Throws as above.
int publish_job(const Job& job, const JobTools& tools);

}  // namespace dsv4::agent::github
