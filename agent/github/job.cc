#include "agent/github/job.h"

#include <algorithm>
#include <fstream>

#include "agent/error.h"
#include "agent/git.h"
#include "agent/printable.h"

namespace dsv4::agent::github {

namespace fs = std::filesystem;

void Job::append(const char* variable, const std::string& text) const {
  const auto file = environment_.find(variable);
  if (!file) return;
  std::ofstream out(*file, std::ios::binary | std::ios::app);
  out << secrets_.redact(text);
  out.flush();
  if (!out) throw UsageError("cannot write to the file of " + std::string(variable));
}

void Job::output(const std::string& name, const std::string& value) const {
  append("GITHUB_OUTPUT", name + "=" + printable_line(value, 4000) + "\n");
}

void Job::summary(const std::string& markdown) const {
  append("GITHUB_STEP_SUMMARY", markdown + "\n");
}

void Job::write(const fs::path& file, const std::string& text) const {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << secrets_.redact(text);
  out.flush();
  if (!out) throw UsageError("cannot write " + printable_line(file.string(), 300));
}

fs::path Job::checkout() const {
  std::error_code error;
  const fs::path named = environment_.required("GITHUB_WORKSPACE");
  fs::path found = fs::canonical(named, error);
  if (error || !fs::exists(found / ".git")) {
    throw UsageError("there is no checkout in " + printable_line(named.string(), 200) +
                     ": the job needs a step with actions/checkout first");
  }
  return found;
}

fs::path Job::results(const Inputs& inputs) const {
  fs::path out = inputs.out;
  if (out.is_relative()) out = fs::path(environment_.required("RUNNER_TEMP")) / out;
  std::error_code error;
  out = fs::weakly_canonical(out, error);
  const fs::path inside = out.lexically_relative(checkout());
  if (error || inside.empty() || *inside.begin() != "..") {
    throw UsageError("the input out: " + printable_line(inputs.out, 200) +
                     " must be a directory outside of the checkout");
  }
  return out;
}

std::string Job::token() const {
  if (const auto token = environment_.find("INPUT_TOKEN")) return *token;
  if (const auto token = environment_.find("GITHUB_TOKEN")) return *token;
  throw UsageError("there is no token: give the step GITHUB_TOKEN or the input token");
}

std::string Job::api_url() const {
  std::string url = environment_.find("GITHUB_API_URL").value_or("https://api.github.com");
  while (url.ends_with('/')) url.pop_back();
  return url;
}

std::string head_of(const fs::path& checkout) {
  const GitLibrary library;
  const GitRepository git = open_repository(checkout.string());
  git_oid id;
  if (git_reference_name_to_id(&id, git.get(), "HEAD") != 0) {
    throw UsageError("the checkout has no commit");
  }
  char text[GIT_OID_HEXSZ + 1];
  return git_oid_tostr(text, sizeof text, &id);
}

namespace {

// An address with "user:password@" in it.
bool has_password(const std::string& text) {
  const size_t scheme = text.find("://");
  if (scheme == std::string::npos) return false;
  const size_t begin = scheme + 3;
  const size_t at = text.find('@', begin);
  return at != std::string::npos && text.find('/', begin) > at && text.find(':', begin) < at;
}

}  // namespace

std::optional<std::string> kept_credentials(const fs::path& checkout) {
  const GitLibrary library;
  const GitRepository git = open_repository(checkout.string());
  git_config* config = nullptr;
  check_git(git_repository_config_snapshot(&config, git.get()), "cannot read the configuration");
  const GitConfig owned(config);
  git_config_iterator* raw = nullptr;
  check_git(git_config_iterator_new(&raw, config), "cannot read the configuration");
  const std::unique_ptr<git_config_iterator, GitFree<git_config_iterator_free>> each(raw);
  git_config_entry* entry = nullptr;
  while (git_config_next(&entry, raw) == 0) {
    const std::string name = entry->name;
    if (has_password(name)) return name.substr(0, name.find('.'));
    const std::string value = entry->value != nullptr ? entry->value : "";
    if (name.ends_with(".extraheader") || has_password(value)) return name;
  }
  return std::nullopt;
}

}  // namespace dsv4::agent::github
