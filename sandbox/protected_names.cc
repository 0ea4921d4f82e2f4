#include "sandbox/protected_names.h"

#include <algorithm>
#include <array>
#include <system_error>

namespace fs = std::filesystem;

namespace dsv4::sandbox {
namespace {

struct Known {
  std::string_view name;
  bool folder;
};

constexpr std::array kKnown = {
    // continuous integration
    Known{".github", true}, Known{".gitlab", true}, Known{".gitea", true}, Known{".forgejo", true},
    Known{".circleci", true}, Known{".buildkite", true}, Known{".woodpecker", true},
    Known{".ci", true}, Known{".gitlab-ci.yml", false}, Known{".travis.yml", false},
    Known{".drone.yml", false}, Known{".woodpecker.yml", false}, Known{".cirrus.yml", false},
    Known{".appveyor.yml", false}, Known{"appveyor.yml", false},
    Known{"azure-pipelines.yml", false}, Known{"bitbucket-pipelines.yml", false},
    Known{"cloudbuild.yaml", false}, Known{"Jenkinsfile", false},
    // hooks
    Known{".husky", true}, Known{".githooks", true}, Known{".pre-commit-config.yaml", false},
    Known{"lefthook.yml", false}, Known{".lefthook.yml", false}};

// Beginnings of names: the same programs read .gitlab-ci-x.yml, Jenkinsfile.deploy, lefthook.toml.
constexpr std::array<std::string_view, 15> kBeginnings = {
    ".gitlab-ci",  ".travis.",        ".drone.",
    ".woodpecker", ".cirrus.",        ".appveyor.",
    "appveyor.",   "azure-pipeline",  "bitbucket-pipelines.",
    "cloudbuild.", "jenkinsfile.",    ".pre-commit-config.",
    "lefthook.",   "lefthook-local.", ".lefthook"};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

bool lies_in(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

bool is_known(std::string_view name) {
  const std::string low = lower(name);
  return std::any_of(kKnown.begin(), kKnown.end(),
                     [&](const Known& known) { return lower(known.name) == low; }) ||
         std::any_of(kBeginnings.begin(), kBeginnings.end(),
                     [&](std::string_view beginning) { return low.starts_with(beginning); });
}

}  // namespace

ProtectedNames::ProtectedNames(const std::string& hooks) {
  const fs::path normal = (fs::path(hooks) / "").lexically_normal().parent_path();
  const bool inside = !normal.empty() && normal.is_relative() && *normal.begin() != "..";
  if (inside && *normal.begin() != "." && *normal.begin() != ".git") hooks_ = normal.string();
}

ProtectedNames ProtectedNames::none() {
  ProtectedNames names;
  names.none_ = true;
  return names;
}

bool ProtectedNames::hold(std::string_view path) const {
  if (none_) return false;
  return is_known(path.substr(0, path.find('/'))) ||
         (!hooks_.empty() && lies_in(lower(path), lower(hooks_)));
}

std::vector<ProtectedName> ProtectedNames::in(const fs::path& working_copy) const {
  std::vector<ProtectedName> names;
  if (none_) return names;
  for (const Known& known : kKnown) names.push_back({std::string(known.name), known.folder});
  std::error_code error;
  for (fs::directory_iterator it(working_copy, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    const bool listed = std::any_of(kKnown.begin(), kKnown.end(),
                                    [&](const Known& known) { return known.name == name; });
    if (!listed && is_known(name)) names.push_back({name, it->is_directory(error)});
  }
  if (!hooks_.empty() && !is_known(hooks_.substr(0, hooks_.find('/')))) names.push_back({hooks_});
  return names;
}

bool may_be_stand_in(std::string_view name) {
  return std::any_of(kKnown.begin(), kKnown.end(),
                     [&](const Known& known) { return known.name == name; });
}

}  // namespace dsv4::sandbox
