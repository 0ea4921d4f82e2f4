#include "agent/github/event.h"

#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "tests/agent/scratch.h"
#include "tests/catch.h"

using namespace dsv4::agent;
using namespace dsv4::agent::github;
using nlohmann::json;

namespace {

const std::string kSha = "0123456789abcdef0123456789abcdef01234567";

// What GitHub sends, as far as it is read.
json issue_event() {
  return json::parse(R"({
    "action": "labeled",
    "label": {"name": "dsv4-agent"},
    "issue": {"number": 7, "title": "Wrong band", "body": "band(100) is high", "state": "open",
              "user": {"login": "reporter", "type": "User"}},
    "repository": {"full_name": "octo/shop", "default_branch": "main"},
    "sender": {"login": "maintainer", "type": "User"}})");
}

json comment_event() {
  json event = issue_event();
  event.erase("label");
  event["action"] = "created";
  event["comment"] = {{"body", "Please:\n/dsv4 fix\nthe bound"},
                      {"user", {{"login", "maintainer"}}}};
  return event;
}

json manual_event() {
  json event = issue_event();
  for (const char* name : {"action", "label", "issue"}) event.erase(name);
  event["inputs"] = {{"issue", "7"}};
  event["ref"] = "refs/heads/next";
  return event;
}

class Job {
 public:
  Event read(const std::string& name, const std::string& payload) const {
    scratch_.write("event.json", payload);
    Environment environment;
    environment.set("GITHUB_EVENT_NAME", name);
    environment.set("GITHUB_EVENT_PATH", scratch_ / "event.json");
    environment.set("GITHUB_REPOSITORY", "octo/shop");
    environment.set("GITHUB_SHA", kSha);
    environment.set("GITHUB_RUN_ID", "42");
    for (const auto& [key, value] : more) environment.set(key, value);
    return read_event(environment, read_inputs(environment));
  }
  Event read(const std::string& name, const json& payload) const {
    return read(name, payload.dump());
  }

  std::map<std::string, std::string> more;

 private:
  Scratch scratch_;
};

}  // namespace

TEST_CASE("each trigger is read as it was sent") {
  const Job job;
  const Event label = job.read("issues", issue_event());
  CHECK(label.trigger == Trigger::kLabel);
  CHECK(label.issue == 7);
  CHECK(label.actor == "maintainer");
  CHECK_FALSE(label.bot);
  CHECK(label.has_text);
  CHECK(label.title == "Wrong band");
  CHECK(label.body == "band(100) is high");
  CHECK(label.branch == "main");
  CHECK(label.sha == kSha);
  CHECK(label.run_url == "https://github.com/octo/shop/actions/runs/42");

  const Event comment = job.read("issue_comment", comment_event());
  CHECK(comment.trigger == Trigger::kComment);
  CHECK(comment.comment == "Please:\n/dsv4 fix\nthe bound");

  const Event manual = job.read("workflow_dispatch", manual_event());
  CHECK(manual.trigger == Trigger::kManual);
  CHECK(manual.issue == 7);
  CHECK_FALSE(manual.has_text);
  CHECK(manual.branch == "next");

  json empty = issue_event();
  empty["issue"]["body"] = nullptr;
  CHECK(job.read("issues", empty).body.empty());
}

TEST_CASE("events that are not for the bot end without an error") {
  const Job job;
  json other = issue_event();
  other["label"]["name"] = "bug";
  CHECK_THROWS_AS(job.read("issues", other), NotForUs);
  for (const char* action : {"edited", "opened", "unlabeled"}) {
    json event = issue_event();
    event["action"] = action;
    CHECK_THROWS_AS(job.read("issues", event), NotForUs);
  }
  json edited = comment_event();
  edited["action"] = "edited";
  CHECK_THROWS_AS(job.read("issue_comment", edited), NotForUs);
  json chat = comment_event();
  chat["comment"]["body"] = "why not say /dsv4 fix here?";
  CHECK_THROWS_AS(job.read("issue_comment", chat), NotForUs);
  CHECK_THROWS_AS(job.read("push", issue_event()), NotForUs);
}

TEST_CASE("a phrase counts where a reader sees it as a line of its own") {
  const auto asks = [](const std::string& comment) { return has_phrase(comment, "/dsv4 fix"); };
  CHECK(asks("/dsv4 fix"));
  CHECK(asks("Yes.\r\n/dsv4 fix please\r\n"));
  CHECK_FALSE(asks("> /dsv4 fix"));
  CHECK_FALSE(asks("`/dsv4 fix`"));
  CHECK_FALSE(asks("/dsv4 fixture"));
  CHECK_FALSE(asks("<!--\n/dsv4 fix\n-->"));
  CHECK_FALSE(asks("say\n\n```\n/dsv4 fix\n```\n"));
  SECTION("not in code of any kind") {
    CHECK_FALSE(asks("say\n```\n/dsv4 fix\n```\n"));
    CHECK_FALSE(asks("~~~~\n~~~\n\n/dsv4 fix\n~~~~"));
    CHECK_FALSE(asks("```\n/dsv4 fix"));
    CHECK_FALSE(asks("   ```text\n/dsv4 fix\n   ```"));
    CHECK_FALSE(asks("write `this:\n/dsv4 fix\n` to start it"));
    CHECK_FALSE(asks("write ``a ` b\n/dsv4 fix`` to start it"));
    CHECK_FALSE(asks("<pre>\n/dsv4 fix\n</pre>"));
    CHECK_FALSE(asks("so: <PRE class=\"x\">one\n\n/dsv4 fix\n</pre>"));
    CHECK_FALSE(asks("<code>\n/dsv4 fix\n</code>"));
    CHECK_FALSE(asks("<blockquote>\n\n/dsv4 fix\n\n</blockquote>"));
    CHECK_FALSE(asks("<pre><code>a</code>\n/dsv4 fix\n</pre>"));
    CHECK_FALSE(asks("<script\n/dsv4 fix"));
  }
  SECTION("but after it") {
    CHECK(asks("```\nx\n```\n/dsv4 fix"));
    CHECK(asks("say ```x``` and `y`\n/dsv4 fix"));
    CHECK(asks("a stray ` in it\n\n/dsv4 fix"));
    CHECK(asks("a \\` in it\n/dsv4 fix"));
    CHECK(asks("<pre>x</pre>\n/dsv4 fix"));
    CHECK(asks("`<pre>` is ours\n/dsv4 fix"));
    CHECK(asks("<details>\n\n/dsv4 fix\n</details>"));
  }
  SECTION("not with something invisible in it") {
    CHECK_FALSE(asks("/dsv4\u200b fix"));
    CHECK_FALSE(asks("\u2060/dsv4 fix"));
    CHECK_FALSE(asks("/ds\u00advv4 fix"));
    CHECK_FALSE(asks("/dsv4 fix\u200d"));
  }
}

TEST_CASE("what may not be is refused with a sentence") {
  const Job job;
  json closed = issue_event();
  closed["issue"]["state"] = "closed";
  CHECK_THROWS_WITH(job.read("issues", closed), message_with("#7 is closed"));
  json pull = comment_event();
  pull["issue"]["pull_request"] = json::object();
  CHECK_THROWS_WITH(job.read("issue_comment", pull), message_with("is a pull request"));
  json tag = manual_event();
  tag["ref"] = "refs/tags/v1";
  CHECK_THROWS_WITH(job.read("workflow_dispatch", tag), message_with("no branch"));
  json nothing = manual_event();
  nothing["inputs"] = nullptr;
  CHECK_THROWS_WITH(job.read("workflow_dispatch", nothing), message_with("names no issue"));
  json bot = issue_event();
  bot["sender"] = {{"login", "helper[bot]"}, {"type", "Bot"}};
  CHECK(job.read("issues", bot).bot);  // whether it may is for the inputs to say
}

TEST_CASE("a payload that GitHub would not send ends with a sentence") {
  Job job;
  for (const char* text : {"", "[]", "{", "null", "{}", "{\"action\":1}"}) {
    CHECK_THROWS_AS(job.read("issues", std::string(text)), UsageError);
  }
  const json whole = issue_event();
  for (const auto& [name, value] : whole.items()) {
    json event = whole;
    event.erase(name);
    CHECK_THROWS_AS(job.read("issues", event), UsageError);
    event[name] = 3;
    CHECK_THROWS_AS(job.read("issues", event), UsageError);
  }
  for (const auto& [name, value] :
       std::map<std::string, json>{{"number", -1}, {"number", "7"}, {"title", nullptr}}) {
    json event = whole;
    event["issue"][name] = value;
    CHECK_THROWS_AS(job.read("issues", event), UsageError);
  }
  const Scratch scratch;
  REQUIRE(::mkfifo((scratch / "pipe").c_str(), 0600) == 0);
  job.more["GITHUB_EVENT_PATH"] = scratch / "pipe";  // not waited for
  CHECK_THROWS_WITH(job.read("issues", whole), message_with("cannot be read"));
  job.more.erase("GITHUB_EVENT_PATH");
  json elsewhere = whole;
  elsewhere["repository"]["full_name"] = "octo/other";
  CHECK_THROWS_WITH(job.read("issues", elsewhere), message_with("octo/other"));
  json odd = whole;
  odd["sender"]["login"] = "../admin";
  CHECK_THROWS_AS(job.read("issues", odd), UsageError);
}

TEST_CASE("the job's own variables are checked, too") {
  Job job;
  for (const auto& [name, value] :
       std::map<std::string, std::string>{{"GITHUB_SHA", "main"},
                                          {"GITHUB_RUN_ID", "1/../2"},
                                          {"GITHUB_REPOSITORY", "octo"},
                                          {"GITHUB_EVENT_PATH", "/nowhere"},
                                          {"GITHUB_EVENT_NAME", ""}}) {
    INFO(name);
    job.more = {{name, value}};
    CHECK_THROWS_AS(job.read("issues", issue_event()), UsageError);
  }
}

TEST_CASE("inputs are read from their variables, and nonsense is refused") {
  Environment environment;
  environment.set("INPUT_ALLOWED_ACTORS", "alice, helper[bot]\n bob");
  environment.set("INPUT_TIME_LIMIT", "5m");
  environment.set("INPUT_REPO", "./sub//dir/");
  environment.set("INPUT_ISSUE", "12");
  const Inputs inputs = read_inputs(environment);
  CHECK(inputs.allowed_actors == std::vector<std::string>{"alice", "helper[bot]", "bob"});
  CHECK(inputs.fix_flags == std::vector<std::string>{"--time-limit=5m"});
  CHECK(inputs.repo == "sub/dir");
  CHECK(inputs.issue == 12);
  CHECK(inputs.label == "dsv4-agent");
  CHECK(inputs.phrase == "/dsv4 fix");
  CHECK(inputs.progress);
  for (const auto& [name, value] :
       std::map<std::string, std::string>{{"INPUT_ISSUE", "7; rm"},
                                          {"INPUT_REPO", "../x"},
                                          {"INPUT_REPO", "/etc"},
                                          {"INPUT_TEST", "a\nb"},
                                          {"INPUT_BRANCH_PREFIX", "a..b/"},
                                          {"INPUT_BASE_BRANCH", "-x"},
                                          {"INPUT_PROGRESS", "perhaps"}}) {
    INFO(name << "=" << value);
    Environment odd;
    odd.set(name, value);
    CHECK_THROWS_AS(read_inputs(odd), UsageError);
  }
}
