#include "agent/github/access.h"

#include <algorithm>

#include "agent/printable.h"

namespace dsv4::agent::github {
namespace {

using nlohmann::json;

// Names of accounts do not differ in case only.
bool same_account(const std::string& a, const std::string& b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

std::string text_at(const json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() && found->is_string()
             ? found->get<std::string>()
             : "";
}

}  // namespace

void check_actor(Api& api, const Event& event, const Inputs& inputs) {
  if (!inputs.allowed_actors.empty()) {
    const bool named =
        std::any_of(inputs.allowed_actors.begin(), inputs.allowed_actors.end(),
                    [&](const std::string& name) { return same_account(name, event.actor); });
    if (named) return;
    throw Refused(event.actor + " is not one of the input allowed-actors");
  }
  if (event.bot) {
    throw Refused(event.actor +
                  " is a bot: name it in the input allowed-actors to let it start runs");
  }
  const auto access = api.find(
      "/repos/" + event.repository + "/collaborators/" + escaped(event.actor) + "/permission",
      {"ask what " + event.actor + " may do", "metadata: read"});
  const std::string permission = access ? text_at(*access, "permission") : "none";
  if (permission == "admin" || permission == "maintain" || permission == "write") return;
  throw Refused(event.actor + " has no write access to " + event.repository +
                ", so nothing was started");
}

void look_at_issue(Api& api, Event* event) {
  const std::string number = std::to_string(event->issue);
  const json issue = api.get("/repos/" + event->repository + "/issues/" + number,
                             {"read issue #" + number, "issues: read"});
  if (issue.contains("pull_request")) {
    throw Refused("#" + number +
                  " is a pull request: its code may be anybody's, so the bot works on issues only");
  }
  if (text_at(issue, "state") != "open") {
    throw Refused("issue #" + number + " is closed: open it again first");
  }
  if (event->has_text) return;
  event->title = text_at(issue, "title");
  event->body = text_at(issue, "body");
  event->has_text = true;
}

void check_commit(Api& api, const Event& event, const Inputs& inputs, const std::string& sha) {
  if (sha == event.sha) return;
  if (!inputs.base_branch) {
    throw Refused("the checkout is at " + sha.substr(0, 12) + ", the event is about " +
                  event.sha.substr(0, 12) + ": check out the commit of the event");
  }
  const json compared = api.get(
      "/repos/" + event.repository + "/compare/" + escaped(*inputs.base_branch) + "..." + sha,
      {"compare the checkout with " + *inputs.base_branch, "contents: read"});
  const std::string status = text_at(compared, "status");
  if (status == "identical" || status == "behind") return;
  throw Refused("the checkout is at " + sha.substr(0, 12) + ", which is not part of the branch " +
                *inputs.base_branch);
}

}  // namespace dsv4::agent::github
