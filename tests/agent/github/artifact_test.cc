#include "agent/github/artifact.h"

#include <sys/stat.h>

#include "tests/agent/scratch.h"
#include "tests/catch.h"

using namespace dsv4::agent;
using namespace dsv4::agent::github;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;

const std::string kSha(40, 'a');

Event event_of_run() {
  Event event;
  event.repository = "octo/shop";
  event.issue = 7;
  event.sha = kSha;
  event.branch = "main";
  event.run_id = "42";
  return event;
}

class Results {
 public:
  Results() {
    meta = meta_json({"octo/shop", 7, kSha, "main", "", "42", sha256_of("patch")});
    report = json::parse(R"({"status": "passed", "exit_code": 0, "attempts": 2, "turns": 9,
      "tool_calls": 11, "tokens": {"context": 900, "generated": 300},
      "seconds": {"total": 1.5}, "tests": {"command": "make test", "before": "failed",
      "after": "passed"}, "model": "nano", "error": null})");
    scratch.write("patch.diff", "patch");
    scratch.write("tests.log", "ok\x1b[31m\n");
  }

  Artifact read() const {
    scratch.write("meta.json", meta.dump());
    scratch.write("report.json", report.dump());
    return read_artifact(scratch.path(), event_of_run(), "");
  }

  Scratch scratch;
  json meta;
  json report;
};

}  // namespace

TEST_CASE("the results of a run are read back") {
  const Results results;
  const Artifact artifact = results.read();
  CHECK(artifact.meta.sha == kSha);
  CHECK(artifact.patch == "patch");
  CHECK(artifact.test_log == "ok\\x1b[31m\n");
  CHECK(artifact.outcome.passed());
  CHECK(artifact.outcome.turns == 9);
  CHECK(artifact.outcome.context == 900);
  CHECK(artifact.outcome.seconds == 1.5);
  CHECK(artifact.outcome.before == "failed");
  CHECK(artifact.outcome.test_command == "make test");
}

TEST_CASE("results that do not belong to the run are refused") {
  for (const auto& [name, value] : std::map<std::string, json>{{"repository", "octo/other"},
                                                               {"issue", 8},
                                                               {"branch", "next"},
                                                               {"directory", "sub"},
                                                               {"run_id", "43"},
                                                               {"sha", "main"},
                                                               {"patch_sha256", ""},
                                                               {"version", 2}}) {
    INFO(name);
    Results results;
    results.meta[name] = value;
    CHECK_THROWS_AS(results.read(), UsageError);
    results.meta[name] = json::array({1});
    CHECK_THROWS_AS(results.read(), UsageError);
    results.meta.erase(name);
    CHECK_THROWS_AS(results.read(), UsageError);
  }
  const Results changed;
  changed.scratch.write("patch.diff", "another patch");
  CHECK_THROWS_WITH(changed.read(), message_with("patch_sha256"));
}

TEST_CASE("nothing in a report is believed but its shape") {
  Results results;
  results.report["attempts"] = -5;
  results.report["turns"] = "many";
  results.report["tool_calls"] = 1e300;
  results.report["tokens"] = 3;
  results.report["tests"]["before"] = "@everyone";
  results.report["tests"]["command"] = "a\n::set-output::" + std::string(1000, 'b');
  results.report["model"] = json::array();
  const Outcome outcome = results.read().outcome;
  CHECK(outcome.attempts == 0);
  CHECK(outcome.turns == 0);
  CHECK(outcome.tool_calls == 0);
  CHECK(outcome.context == 0);
  CHECK(outcome.before.empty());
  CHECK(outcome.test_command.size() == 200);
  CHECK(outcome.test_command.find('\n') == std::string::npos);
  CHECK(outcome.model.empty());
  for (const json& status : {json("fine"), json(1), json(nullptr), json("gave_up")}) {
    results.report["status"] = status;  // gave_up, with exit code 0
    CHECK_THROWS_AS(results.read(), UsageError);
  }
}

TEST_CASE("results are plain files of bounded size") {
  const Results results;
  results.read();
  const fs::path patch = results.scratch / "patch.diff";
  fs::remove(patch);
  fs::create_symlink("/etc/hostname", patch);
  CHECK_THROWS_WITH(results.read(), message_with("no plain file"));
  fs::remove(patch);
  REQUIRE(::mkfifo(patch.c_str(), 0600) == 0);
  CHECK_THROWS_WITH(results.read(), message_with("no plain file"));
  fs::remove(patch);
  fs::create_directory(patch);
  CHECK_THROWS_AS(results.read(), UsageError);
  fs::remove(patch);
  results.scratch.write("patch.diff", std::string((1 << 20) + 1, 'x'));
  CHECK_THROWS_WITH(results.read(), message_with("too large"));
  fs::remove(patch);
  CHECK_THROWS_AS(results.read(), UsageError);  // the patch that meta.json speaks of is missing
  fs::remove(results.scratch / "report.json");
  CHECK_THROWS_AS(read_artifact(results.scratch.path(), event_of_run(), ""), UsageError);
  CHECK_THROWS_AS(read_artifact(results.scratch / "absent", event_of_run(), ""), UsageError);
}
