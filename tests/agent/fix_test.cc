#include "agent/fix.h"

#include <signal.h>

#include <set>

#include "agent/patch.h"
#include "agent/working_copy.h"
#include "llm/error.h"
#include "tests/agent/toy.h"
#include "tests/catch.h"

using namespace dsv4::agent;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
using nlohmann::ordered_json;
namespace llm = dsv4::llm;

namespace {

const llm::Reply kRepair = calls({{"edit",
                                   {{"path", "calc.py"},
                                    {"symbol", "clamp"},
                                    {"old", "if x > high:\nreturn low"},
                                    {"new", "if x > high:\n    return high"}}},
                                  {"test", ordered_json::object()}});
const llm::Reply kWrong =
    calls({{"edit", {{"path", "calc.py"}, {"old", "if x < low:"}, {"new", "if x <= low:"}}},
           {"test", ordered_json::object()}});
const llm::Reply kFinish = calls({{"finish", {{"summary", "The upper bound was not returned."}}}});
const llm::Reply kRead = calls({{"read", {{"symbol", "clamp"}}}});

llm::Reply write(const char* path, const std::string& text) {
  return calls({{"write", {{"path", path}, {"content", text}}}, {"test", ordered_json::object()}});
}

}  // namespace

TEST_CASE("a task is repaired, proved and written down, and the tree stays as it was") {
  Toy toy;
  const FixReport report = toy.fix({{kRead, kRepair, kFinish}});
  INFO(report.error);
  REQUIRE(report.status == FixStatus::kPassed);
  REQUIRE(report.exit_code() == 0);
  REQUIRE(report.before == false);
  REQUIRE(report.after == true);
  REQUIRE(report.attempts == 1);
  REQUIRE(report.turns == 3);
  REQUIRE(report.tool_calls == 4);
  REQUIRE(toy.scratch.read("repo/calc.py") == Toy::kBroken);
  REQUIRE_FALSE(fs::exists(toy.scratch / "run/work"));

  const Repository repository = named_repository(toy.scratch / "repo");
  REQUIRE(make_base(repository, list_tree(repository), toy.scratch / "fresh", {}, {}));
  apply_patch(toy.scratch / "fresh", toy.scratch.read("run/patch.diff"));
  REQUIRE(toy.scratch.read("fresh/calc.py") == Toy::kFixed);

  std::istringstream events(toy.scratch.read("run/events.jsonl"));
  std::set<std::string> seen;
  for (std::string line; std::getline(events, line);) {
    seen.insert(ordered_json::parse(line).at("event").get<std::string>());
  }
  for (const char* event : {"run", "tests_before", "context", "prompt", "attempt", "turn", "reply",
                            "call", "attempt_end", "gate"}) {
    INFO(event);
    REQUIRE(seen.count(event) == 1);
  }
  REQUIRE(toy.scratch.read("run/transcript.md").find("The tests pass.") != std::string::npos);
}

TEST_CASE("the report has every key that is documented") {
  Toy toy;
  const ordered_json json = toy.fix({{kRepair, kFinish}}).json();
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) keys.push_back(key);
  REQUIRE(keys == std::vector<std::string>{"status", "exit_code", "run_id", "run_dir", "patch",
                                           "attempts", "turns", "tool_calls", "tokens", "seconds",
                                           "tests", "model", "error"});
  REQUIRE(json["status"] == "passed");
  REQUIRE(json["tests"] ==
          ordered_json(
              {{"command", "python3 test_calc.py"}, {"before", "failed"}, {"after", "passed"}}));
  REQUIRE(json["tokens"]["reprefilled"] == 0);
  REQUIRE(json["tokens"]["generated"] > 0);
  const ordered_json file = ordered_json::parse(toy.scratch.read("run/report.json"));
  REQUIRE(file["context"]["files"] == ordered_json({"calc.py", "test_calc.py"}));
}

TEST_CASE("the model reads system text, repository, issue and test result in one context") {
  Toy toy;
  toy.fix({{kRepair, kFinish}});
  std::string context;
  for (const auto& segment : toy.segments) context += segment.text;
  const size_t repository = context.find("# Repository\n\n=== calc.py\ndef clamp(");
  const size_t issue =
      context.find("\n# Issue\n\n# clamp is wrong\n\nclamp(5, 0, 3) gives 0, not 3.");
  const size_t tests = context.find("# Tests\n\n`python3 test_calc.py`\nThe tests fail: ");
  REQUIRE(repository != std::string::npos);
  REQUIRE(issue != std::string::npos);
  REQUIRE(tests != std::string::npos);
  REQUIRE(repository < issue);
  REQUIRE(issue < tests);
  REQUIRE(context.find("Edited calc.py.") != std::string::npos);
}

TEST_CASE("a failed attempt leaves nothing to the next, which begins anew") {
  Toy toy;
  const FixReport report = toy.fix({{kWrong, kFinish}, {kRead, kRepair, kFinish}});
  INFO(report.error);
  REQUIRE(report.status == FixStatus::kPassed);
  REQUIRE(report.attempts == 2);
  const std::string patch = toy.scratch.read("run/patch.diff");
  REQUIRE(patch.find("return high") != std::string::npos);
  REQUIRE(patch.find("<= low") == std::string::npos);
}

TEST_CASE("when no attempt passes, fix gives up and keeps the best patch") {
  Toy toy;
  const FixReport report = toy.fix({{kWrong, kFinish}});
  REQUIRE(report.status == FixStatus::kGaveUp);
  REQUIRE(report.exit_code() == 1);
  REQUIRE(report.attempts == 2);
  REQUIRE_FALSE(report.error.empty());
  REQUIRE(toy.scratch.read("run/patch.diff").find("<= low") != std::string::npos);
}

TEST_CASE("a test that was weakened is put back before the gate") {
  Toy toy;
  const FixReport report = toy.fix({{write("test_calc.py", "print('ok')\n"), kFinish}});
  REQUIRE(report.status == FixStatus::kGaveUp);
  REQUIRE(report.after == false);
}

TEST_CASE("a weakened test beside a real repair is not part of the proved patch") {
  Toy toy;
  const FixReport report = toy.fix({{write("test_calc.py", "print('ok')\n"), kRepair, kFinish}});
  INFO(report.error);
  REQUIRE(report.status == FixStatus::kPassed);
  REQUIRE(patch_paths(toy.scratch.read("run/patch.diff")) == std::vector<std::string>{"calc.py"});
}

TEST_CASE("files that stand in for what runs the tests do not pass the gate") {
  Toy toy;
  SECTION("a module that runs before the tests") {
    toy.options.test = "PYTHONPATH=. python3 test_calc.py";
    const FixReport report =
        toy.fix({{write("sitecustomize.py", "import os\nos._exit(0)\n"), kFinish}});
    REQUIRE(report.status == FixStatus::kGaveUp);
  }
  SECTION("a module with the test runner's name") {
    toy.options.test = "python3 -m unittest test_calc";
    const FixReport report = toy.fix({{write("unittest.py", "print('OK')\n"), kFinish}});
    REQUIRE(report.status == FixStatus::kGaveUp);
  }
}

TEST_CASE("what says how a repository is tested is not part of a patch") {
  Toy toy;
  const bool there = GENERATE(true, false);
  if (there) toy.scratch.write("repo/.dsv4-agent.toml", "test = \"python3 test_calc.py\"\n");
  const FixReport report =
      toy.fix({{kRepair, write(".dsv4-agent.toml", "test = \"true\"\n"), kFinish}});
  REQUIRE(report.status == FixStatus::kPassed);
  REQUIRE(toy.scratch.read("run/patch.diff").find("calc.py") != std::string::npos);
  REQUIRE(toy.scratch.read("run/patch.diff").find(".dsv4-agent.toml") == std::string::npos);
}

TEST_CASE("CI configuration and hooks are changed only where a person allows it") {
  Toy toy;
  toy.scratch.write("repo/.github/workflows/ci.yml", "on: push\n");
  toy.scratch.write("repo/.git/config", "[core]\n\thooksPath = tools/hooks\n");
  const ordered_json bash = {
      {"command", "echo x >> .github/workflows/ci.yml; mkdir .circleci && touch .circleci/x"}};
  const Attempts attempts = {{write(".github/workflows/ci.yml", "on: never\n"),
                              write("tools/hooks/pre-commit", "exit 1\n"),
                              write(".gitlab-ci.yml", "test: {}\n"), calls({{"bash", bash}}),
                              kRepair, kFinish}};
  SECTION("else it is refused, and the patch is without it") {
    const FixReport report = toy.fix(attempts);
    REQUIRE(report.status == FixStatus::kPassed);
    REQUIRE(patch_paths(toy.scratch.read("run/patch.diff")) == std::vector<std::string>{"calc.py"});
    std::string told;
    for (const llm::RecordedSegment& segment : toy.segments) told += segment.text;
    for (const char* path : {".github/workflows/ci.yml", "tools/hooks/pre-commit"}) {
      REQUIRE(told.find(path + std::string(" is CI configuration or a hook")) != std::string::npos);
    }
  }
  SECTION("with --allow-ci-changes it is a change like others") {
    toy.options.allow_ci_changes = true;
    REQUIRE(toy.fix(attempts).status == FixStatus::kPassed);
    REQUIRE(patch_paths(toy.scratch.read("run/patch.diff")) ==
            std::vector<std::string>{".circleci/x", ".github/workflows/ci.yml", ".gitlab-ci.yml",
                                     "calc.py", "tools/hooks/pre-commit"});
  }
  SECTION("what a hook without a sandbox does there is left out too, and that is told") {
    Hook hook;
    hook.on = Hook::On::kAfterTool;
    hook.tools = {"edit"};
    hook.command = "echo x > .github/workflows/ci.yml; mkdir -p .circleci; echo x > .circleci/x";
    hook.sandboxed = false;
    toy.options.hooks = {hook};
    REQUIRE(toy.fix({{kRepair, kFinish}}).status == FixStatus::kPassed);
    REQUIRE(patch_paths(toy.scratch.read("run/patch.diff")) == std::vector<std::string>{"calc.py"});
    REQUIRE(toy.scratch.read("run/events.jsonl")
                .find("CI configuration or a hook and left out of the patch: "
                      ".circleci/x and 1 more") != std::string::npos);
  }
}

TEST_CASE("the model is told what the sandbox denied a command that failed") {
  Toy toy;
  const auto bash = [](const char* command) { return calls({{"bash", {{"command", command}}}}); };
  const FixReport report =
      toy.fix({{bash("unshare -m true"), bash("unshare -m true || true"), kRepair, kFinish}});
  REQUIRE(report.status == FixStatus::kPassed);
  std::string told;
  for (const llm::RecordedSegment& segment : toy.segments) told += segment.text;
  const size_t first = told.find("(exit status 1)\nThe sandbox denied: unshare.");
  REQUIRE(first != std::string::npos);
  REQUIRE(told.find("The sandbox denied", first + 20) == std::string::npos);
}

TEST_CASE("uncommitted work is what the patch fits, and it is kept exactly") {
  Toy toy;
  const std::string dirty = std::string("# mine, not committed\n\n\n") + Toy::kBroken;
  toy.scratch.write("repo/calc.py", dirty);
  toy.scratch.write("repo/notes.txt", "untracked\n");
  SECTION("without --apply the tree is untouched") {
    REQUIRE(toy.fix({{kRepair, kFinish}}).status == FixStatus::kPassed);
    REQUIRE(toy.scratch.read("repo/calc.py") == dirty);
  }
  SECTION("with --apply only the repair is added") {
    toy.options.apply = true;
    REQUIRE(toy.fix({{kRepair, kFinish}}).status == FixStatus::kPassed);
    REQUIRE(toy.scratch.read("repo/calc.py") ==
            std::string("# mine, not committed\n\n\n") + Toy::kFixed);
    REQUIRE(toy.scratch.read("repo/notes.txt") == "untracked\n");
  }
  SECTION("no file of the user's has a name that --apply takes for itself") {
    toy.options.apply = true;
    toy.scratch.write("repo/.dsv4-0", "mine\n");
    toy.scratch.write("repo/.dsv4-calc.py", "mine\n");
    REQUIRE(toy.fix({{kRepair, kFinish}}).status == FixStatus::kPassed);
    REQUIRE(toy.scratch.read("repo/.dsv4-0") == "mine\n");
    REQUIRE(toy.scratch.read("repo/.dsv4-calc.py") == "mine\n");
  }
}

TEST_CASE("--apply refuses a file that changed meanwhile and keeps the patch") {
  Toy toy;
  toy.options.apply = true;
  int turn = 0;
  const FixReport report = toy.fix_with([&](auto) {
    toy.scratch.write("repo/calc.py", "changed meanwhile\n");
    return turn++ == 0 ? kRepair : kFinish;
  });
  REQUIRE(report.status == FixStatus::kNotApplied);
  REQUIRE(report.exit_code() == kUsage);
  REQUIRE(report.error.find("calc.py was changed while the task ran") != std::string::npos);
  REQUIRE(toy.scratch.read("repo/calc.py") == "changed meanwhile\n");
  REQUIRE(toy.scratch.read("run/patch.diff").find("return high") != std::string::npos);
}

TEST_CASE("--branch commits the patch and leaves tree and HEAD alone") {
  Toy toy;
  toy.options.branch = "repaired";
  REQUIRE(toy.fix({{kRepair, kFinish}}).status == FixStatus::kPassed);
  REQUIRE(toy.scratch.read("repo/calc.py") == Toy::kBroken);
  const GitLibrary library;
  const GitRepository git = open_repository((toy.scratch / "repo").string());
  git_object* object = nullptr;
  REQUIRE(git_revparse_single(&object, git.get(), "repaired:calc.py") == 0);
  const std::unique_ptr<git_object, GitFree<git_object_free>> own(object);
  const auto* blob = reinterpret_cast<const git_blob*>(object);
  REQUIRE(std::string(static_cast<const char*>(git_blob_rawcontent(blob)),
                      static_cast<size_t>(git_blob_rawsize(blob))) == Toy::kFixed);

  toy.options.run_dir = (toy.scratch / "again").string();
  const FixReport again = toy.fix({{kRepair, kFinish}});
  REQUIRE(again.status == FixStatus::kUsage);
  REQUIRE(again.error.find("exists already") != std::string::npos);
}

TEST_CASE("where the tests pass, the patch must bring a test that fails without it") {
  Toy toy;
  toy.scratch.write("repo/test_calc.py", "from calc import clamp\nassert clamp(1, 0, 3) == 1\n");
  const llm::Reply add_test = write("test_calc.py", std::string("from calc import clamp\n"
                                                                "assert clamp(1, 0, 3) == 1\n") +
                                                        Toy::kTest);
  SECTION("a repair with such a test passes") {
    const FixReport report = toy.fix({{add_test, kRepair, kFinish}});
    INFO(report.error);
    REQUIRE(report.status == FixStatus::kPassed);
    REQUIRE(report.before == true);
    REQUIRE(patch_paths(toy.scratch.read("run/patch.diff")) ==
            std::vector<std::string>{"calc.py", "test_calc.py"});
    std::string context;
    for (const auto& segment : toy.segments) context += segment.text;
    REQUIRE(context.find("The tests pass. First add a test that fails") != std::string::npos);
  }
  SECTION("a repair without a test does not") {
    const FixReport report = toy.fix({{kRepair, kFinish}});
    REQUIRE(report.status == FixStatus::kGaveUp);
    REQUIRE(report.error.find("brings no test") != std::string::npos);
  }
  SECTION("a test that passes anyway does not") {
    const FixReport report = toy.fix({{write("test_more.py", "print('ok')\n"), kRepair, kFinish}});
    REQUIRE(report.status == FixStatus::kGaveUp);
    REQUIRE(report.error.find("passes on the untouched tree too") != std::string::npos);
  }
}

TEST_CASE("tests that cannot be run end with their own code") {
  Toy toy;
  toy.options.test = "no-such-program-anywhere --x";
  const FixReport report = toy.fix({{kFinish}});
  REQUIRE(report.status == FixStatus::kTests);
  REQUIRE(report.exit_code() == kTests);
  REQUIRE(report.error.find("no-such-program-anywhere") != std::string::npos);
}

TEST_CASE("a set-up that fails ends the run, one that works prepares every copy") {
  Toy toy;
  SECTION("fails") {
    toy.scratch.write("issue.md", "---\nsetup: echo no compiler; exit 3\n---\nclamp is wrong\n");
    const FixReport report = toy.fix({{kFinish}});
    REQUIRE(report.status == FixStatus::kTests);
    REQUIRE(report.error.find("no compiler") != std::string::npos);
  }
  SECTION("works, and what it makes is not in the patch") {
    toy.scratch.write("issue.md", "---\nsetup: touch ready\n---\nclamp is wrong\n");
    toy.options.test = "test -f ready && python3 test_calc.py";
    const FixReport report = toy.fix({{kRepair, kFinish}});
    REQUIRE(report.status == FixStatus::kPassed);
    REQUIRE(patch_paths(toy.scratch.read("run/patch.diff")) == std::vector<std::string>{"calc.py"});
  }
}

TEST_CASE("a model that cannot be opened or fails ends with the engine's code") {
  Toy toy;
  int turn = 0;
  const FixReport report = toy.fix_with([&](auto) -> llm::Reply {
    if (turn++ > 0) throw llm::Error("the engine failed");
    return kWrong;
  });
  REQUIRE(report.status == FixStatus::kEngine);
  REQUIRE(report.exit_code() == kEngine);
  REQUIRE(report.error == "the engine failed");
  REQUIRE(toy.scratch.read("run/patch.diff").find("<= low") != std::string::npos);
}

TEST_CASE("tests that hang are ended, and the time limit ends everything") {
  Toy toy;
  SECTION("one run of the tests") {
    toy.scratch.write("issue.md", "---\ntimeout: 1s\n---\nclamp is wrong\n");
    toy.options.test = "grep -q 'return high' calc.py || sleep 1000";
    const FixReport report = toy.fix({{kRepair, kFinish}});
    INFO(report.error);
    REQUIRE(report.status == FixStatus::kPassed);
    REQUIRE(report.before == false);
  }
  SECTION("all of it") {
    toy.options.test = "sleep 1000";
    toy.options.time_limit = 2s;
    const FixReport report = toy.fix({{kRepair, kFinish}});
    REQUIRE(report.status == FixStatus::kGaveUp);
    REQUIRE(report.error.find("time limit of 2.0 s") != std::string::npos);
    REQUIRE(report.total < 60s);
  }
}

TEST_CASE("a signal saves the state and ends the run as interrupted") {
  Toy toy;
  int turn = 0;
  const int number = GENERATE(SIGINT, SIGTERM);
  const FixReport report = toy.fix_with([&](auto) {
    if (turn++ == 0) return kWrong;
    ::raise(number);
    return calls({{"bash", {{"command", "sleep 1000"}}}});
  });
  REQUIRE(report.status == FixStatus::kInterrupted);
  REQUIRE(report.exit_code() == kInterrupted);
  REQUIRE(toy.scratch.read("run/patch.diff").find("<= low") != std::string::npos);
  REQUIRE(ordered_json::parse(toy.scratch.read("run/report.json"))["status"] == "interrupted");
  REQUIRE(toy.scratch.read("repo/calc.py") == Toy::kBroken);
}

TEST_CASE("a run directory that cannot be used is refused before anything is done") {
  Toy toy;
  SECTION("below a file") { toy.options.run_dir = (toy.scratch / "issue.md/run").string(); }
  SECTION("not empty") { toy.options.run_dir = (toy.scratch / "repo").string(); }
  const FixReport report = toy.fix({{kFinish}});
  REQUIRE(report.status == FixStatus::kUsage);
  REQUIRE(report.error.find("the run directory") == 0);
}

TEST_CASE("the first attempt is greedy unless runs are to differ from the start") {
  const bool greedy = GENERATE(true, false);
  Toy toy;
  toy.options.greedy_first = greedy;
  toy.options.attempts = 2;
  REQUIRE(toy.fix({{kWrong, kFinish}, {kRepair, kFinish}}).attempts == 2);
  std::vector<double> temperatures;
  std::istringstream events(toy.scratch.read("run/events.jsonl"));
  for (std::string line; std::getline(events, line);) {
    const ordered_json event = ordered_json::parse(line);
    if (event["event"] == "attempt") temperatures.push_back(event["temperature"]);
    // As a process would that goes on with the run.
    if (event["event"] == "run") REQUIRE(options_from(event["options"]).greedy_first == greedy);
  }
  REQUIRE(temperatures.size() == 2);
  REQUIRE((temperatures[0] == 0) == greedy);
  REQUIRE(temperatures[1] > 0);
}
