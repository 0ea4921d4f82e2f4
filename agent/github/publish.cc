#include "agent/github/publish.h"

#include "agent/github/base64.h"
#include "agent/github/words.h"

namespace dsv4::agent::github {
namespace {

using nlohmann::json;

constexpr Purpose kPush = {"push the branch", "contents: write"};
constexpr Purpose kOpen = {"open a pull request", "pull-requests: write"};

std::string text_at(const json& object, std::initializer_list<const char*> path) {
  const json* at = &object;
  for (const char* name : path) {
    const auto found = at->is_object() ? at->find(name) : at->end();
    if (!at->is_object() || found == at->end()) return "";
    at = &*found;
  }
  return at->is_string() ? at->get<std::string>() : "";
}

PullRequest pull_request(const json& object, bool made) {
  PullRequest out;
  const auto number = object.find("number");
  if (number == object.end() || !number->is_number_integer()) {
    throw ApiError(200, "cannot open a pull request: GitHub's answer has no number of one");
  }
  out.number = number->get<int64_t>();
  out.url = text_at(object, {"html_url"});
  out.made = made;
  return out;
}

[[noreturn]] void mismatch(const std::string& what) {
  throw ApiError(200,
                 "GitHub made another " + what + " of the patch than was checked: not published");
}

}  // namespace

std::optional<json> Publisher::head() const {
  const auto ref = api_.find(root_ + "/git/ref/heads/" + branch_, kPush);
  if (!ref) return std::nullopt;
  const std::string sha = text_at(*ref, {"object", "sha"});
  if (!is_sha(sha)) throw ApiError(200, "cannot push the branch: GitHub does not say where it is");
  return api_.get(root_ + "/git/commits/" + sha, kPush);
}

bool Publisher::is_done(const json& commit, const CheckedPatch& patch,
                        const std::string& parent) const {
  const auto parents = commit.find("parents");
  return text_at(commit, {"tree", "sha"}) == patch.tree && parents != commit.end() &&
         parents->is_array() && parents->size() == 1 && text_at((*parents)[0], {"sha"}) == parent;
}

std::string Publisher::make_tree(const CheckedPatch& patch) {
  json entries = json::array();
  for (const Change& change : patch.changes) {
    json entry = {{"path", change.path}, {"mode", change.mode}, {"type", "blob"}, {"sha", nullptr}};
    if (!change.blob.empty()) {
      const json blob = api_.post(root_ + "/git/blobs",
                                  {{"content", base64(change.bytes)}, {"encoding", "base64"}},
                                  kPush, Api::Twice::kHarmless);
      if (text_at(blob, {"sha"}) != change.blob) mismatch("file");
      entry["sha"] = change.blob;
    }
    entries.push_back(std::move(entry));
  }
  const json tree =
      api_.post(root_ + "/git/trees", {{"base_tree", patch.base_tree}, {"tree", entries}}, kPush,
                Api::Twice::kHarmless);
  if (text_at(tree, {"sha"}) != patch.tree) mismatch("tree");
  return patch.tree;
}

std::string Publisher::make_commit(const CheckedPatch& patch, const std::string& parent) {
  const json commit = api_.post(
      root_ + "/git/commits",
      {{"message", commit_message(event_)}, {"tree", make_tree(patch)}, {"parents", {parent}}},
      kPush, Api::Twice::kHarmless);
  const std::string sha = text_at(commit, {"sha"});
  if (!is_sha(sha)) mismatch("commit");
  return sha;
}

// A reply that got lost may have been a branch that was made: it is looked for before it is made
// again.
void Publisher::create_branch(const std::string& commit) {
  constexpr int kTries = 3;
  for (int i = 1;; ++i) {
    try {
      api_.post(root_ + "/git/refs", {{"ref", "refs/heads/" + branch_}, {"sha", commit}}, kPush,
                Api::Twice::kBad);
      return;
    } catch (const ApiError& error) {
      const bool unclear = error.status() == 422 || error.status() >= 500;
      if (!unclear || i == kTries) throw;
    } catch (const http::Error& error) {
      if (!error.sent() || i == kTries) throw;
    }
    const auto ref = api_.find(root_ + "/git/ref/heads/" + branch_, kPush);
    if (ref && text_at(*ref, {"object", "sha"}) == commit) return;
  }
}

void Publisher::push(const CheckedPatch& patch, const std::string& parent) {
  const auto there = head();
  if (there && is_done(*there, patch, parent)) return;
  const std::string message = there ? text_at(*there, {"message"}) : "";
  if (there && message.find(commit_trailer(event_.issue)) == std::string::npos) {
    throw Refused("the branch " + branch_ +
                  " has commits that are not the bot's: rename or remove it, or choose another "
                  "input branch-prefix");
  }
  const std::string commit = make_commit(patch, parent);
  if (!there) return create_branch(commit);
  api_.patch(root_ + "/git/refs/heads/" + branch_, {{"sha", commit}, {"force", true}}, kPush);
}

// An open one from the branch, or one that this run has made already, whatever became of it.
std::optional<PullRequest> Publisher::find_pull_request() {
  const std::string owner = event_.repository.substr(0, event_.repository.find('/'));
  const std::string mark = run_mark(event_);
  std::optional<PullRequest> found;
  api_.each(root_ + "/pulls?state=all&per_page=100&head=" + escaped(owner + ":" + branch_), kOpen,
            [&](const json& each) {
              if (text_at(each, {"head", "ref"}) != branch_) return true;
              const bool open = text_at(each, {"state"}) == "open" &&
                                text_at(each, {"base", "ref"}) == event_.branch;
              const bool of_this_run = text_at(each, {"body"}).find(mark) != std::string::npos;
              if (!open && !of_this_run) return true;
              found = pull_request(each, false);
              return false;
            });
  return found;
}

std::optional<PullRequest> Publisher::try_to_open(json fields) {
  try {
    return pull_request(api_.post(root_ + "/pulls", fields, kOpen, Api::Twice::kBad), true);
  } catch (const ApiError& error) {
    const bool lost = error.status() == 422 || error.status() >= 500;
    if (!lost) throw;
    if (const auto found = find_pull_request()) return found;
    const bool no_drafts = error.status() == 422 && fields.contains("draft") &&
                           std::string_view(error.what()).find("raft") != std::string_view::npos;
    if (no_drafts) {
      fields.erase("draft");
      return try_to_open(std::move(fields));
    }
    if (error.status() < 500) throw;
  } catch (const http::Error& error) {
    if (!error.sent()) throw;
    if (const auto found = find_pull_request()) return found;
  }
  return std::nullopt;
}

PullRequest Publisher::open(const std::string& title, const std::string& body) {
  const json fields = {{"title", title},
                       {"head", branch_},
                       {"base", event_.branch},
                       {"body", body},
                       {"draft", true}};
  if (const auto found = find_pull_request()) {
    api_.patch(root_ + "/pulls/" + std::to_string(found->number),
               {{"title", title}, {"body", body}}, kOpen);
    return *found;
  }
  for (int i = 0; i < 2; ++i) {
    if (const auto made = try_to_open(fields)) return *made;
  }
  return pull_request(api_.post(root_ + "/pulls", fields, kOpen, Api::Twice::kBad), true);
}

void Publisher::label(int64_t number, const std::vector<std::string>& labels) {
  if (labels.empty()) return;
  api_.post(root_ + "/issues/" + std::to_string(number) + "/labels", {{"labels", labels}},
            {"label the pull request", "issues: write"}, Api::Twice::kHarmless);
}

}  // namespace dsv4::agent::github
