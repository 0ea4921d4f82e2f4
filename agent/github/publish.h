#pragma once

#include <string>
#include <vector>

#include "agent/github/api.h"
#include "agent/github/event.h"
#include "agent/github/inputs.h"
#include "agent/github/patch_check.h"

namespace dsv4::agent::github {

struct PullRequest {
  int64_t number = 0;
  std::string url;
  bool made = false;  // now, and not by an earlier attempt
};

// Puts a checked patch on GitHub through the Git data API: nothing is checked out, no hook runs.
// Each step looks first whether an earlier attempt has done it. Throws ApiError, http::Error, and
// Refused where the branch has commits of somebody else.
class Publisher {
 public:
  Publisher(Api& api, const Event& event, const Inputs& inputs)
      : api_(api),
        event_(event),
        inputs_(inputs),
        root_("/repos/" + event.repository),
        branch_(inputs.branch_prefix + "issue-" + std::to_string(event.issue)) {}

  const std::string& branch() const { return branch_; }

  // The branch, with one commit on top of `parent` that has the patch's tree.
  void push(const CheckedPatch& patch, const std::string& parent);

  // A draft pull request from the branch. Where the repository cannot have drafts, an ordinary one.
  PullRequest open(const std::string& title, const std::string& body);

  void label(int64_t pull_request, const std::vector<std::string>& labels);

 private:
  // What the branch is at; nothing when it is not there.
  std::optional<nlohmann::json> head() const;
  bool is_done(const nlohmann::json& commit, const CheckedPatch& patch,
               const std::string& parent) const;
  std::string make_commit(const CheckedPatch& patch, const std::string& parent);
  std::string make_tree(const CheckedPatch& patch);
  void create_branch(const std::string& commit);
  std::optional<PullRequest> find_pull_request();
  std::optional<PullRequest> try_to_open(nlohmann::json fields);

  Api& api_;
  const Event& event_;
  const Inputs& inputs_;
  std::string root_;
  std::string branch_;
};

}  // namespace dsv4::agent::github
