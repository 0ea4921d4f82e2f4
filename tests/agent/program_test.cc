#include "tests/agent/program.h"

#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "tests/catch.h"

// The real program, as a person or a script runs it.

namespace {

namespace fs = std::filesystem;

class Program {
 public:
  Program() {
    scratch.write("repo/calc.py", "def one():\n    return 2\n");
    scratch.write("repo/test_calc.py", "from calc import one\nassert one() == 1\n");
    scratch.write("issue.md", "one() gives 2\n");
    git_init(scratch / "repo");
    git_commit_all(scratch / "repo", "first");
  }

  Ended run(const std::string& arguments) const {
    return run_agent(scratch, scratch / "repo", arguments);
  }

  Scratch scratch;
};

}  // namespace

TEST_CASE("bad input ends with code 2 and one sentence that says which") {
  const Program program;
  program.scratch.write("empty.md", "\n");
  program.scratch.write("binary.md", std::string("\0\1\2", 3));
  program.scratch.write("front.md", "---\ntimeout: never\n---\nx\n");
  fs::create_directories(program.scratch / "plain");
  git_init(program.scratch / "bare", true);
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"fix", "name the issue"},
      {"fix $S/absent.md", "there is no file"},
      {"fix $S/empty.md", "is empty"},
      {"fix $S/binary.md", "is not text"},
      {"fix $S/front.md", "timeout"},
      {"fix - < /dev/null", "stdin is empty"},
      {"fix $S", "is a directory"},
      {"fix $S/issue.md --repo $S/plain", "is not in a git repository"},
      {"fix $S/issue.md --repo $S/bare", "is a bare repository"},
      {"fix $S/issue.md --repo $S/absent", "does not exist"},
      {"fix $S/issue.md --run-dir /dev/null/x", "cannot be made"},
      {"fix $S/issue.md --run-dir $S/repo", "is not empty"},
      {"fix $S/issue.md --branch 'a..b'", "is not a valid branch name"},
      {"fix $S/issue.md --attempts none", "--attempts"},
  };
  for (const auto& [arguments, sentence] : cases) {
    INFO(arguments);
    const Ended ended = program.run(arguments);
    INFO(ended.err);
    REQUIRE(ended.status == 2);
    REQUIRE(ended.err.find(sentence) != std::string::npos);
    REQUIRE(ended.out.empty());
  }
}

TEST_CASE("a model that is missing or damaged ends with code 3") {
  const Program program;
  program.scratch.write("damaged/config.json", "{");
  fs::create_directories(program.scratch / "no model");
  for (const char* model : {"$S/absent", "$S/no model", "$S/damaged"}) {
    INFO(model);
    const Ended ended = program.run(std::string("fix $S/issue.md --model \"") + model + "\"");
    INFO(ended.err);
    REQUIRE(ended.status == 3);
    REQUIRE(ended.err.find("dsv4-agent: ") != std::string::npos);
    REQUIRE(ended.out.find("passed") == std::string::npos);
  }
}

TEST_CASE("--json prints one object, whatever happens") {
  const Program program;
  const std::vector<std::pair<std::string, int>> cases = {
      {"fix $S/absent.md --json --quiet", 2},
      {"fix --json --no-such-option", 2},
      {"fix $S/issue.md --json --model $S/absent", 3}};
  for (const auto& [arguments, status] : cases) {
    INFO(arguments);
    const Ended ended = program.run(arguments);
    REQUIRE(ended.status == status);
    const auto json = nlohmann::json::parse(ended.out);
    REQUIRE(json.size() == 13);
    REQUIRE(json["exit_code"] == status);
    REQUIRE(json["error"].is_string());
  }
}

TEST_CASE("an issue that nobody writes holds up neither the time limit nor a signal") {
  const Program program;
  REQUIRE(::mkfifo((program.scratch / "pipe").c_str(), 0600) == 0);
  SECTION("a pipe by name") { REQUIRE(program.run("fix $S/pipe --time-limit 100ms").status == 1); }
  SECTION("stdin") { REQUIRE(program.run("fix - --time-limit 100ms <> $S/pipe").status == 1); }
  SECTION("a signal") {
    const std::string command = "timeout --preserve-status -s INT 1 " DSV4_BUILD_DIR
                                "/dsv4-agent fix '" +
                                (program.scratch / "pipe").string() + "' >/dev/null 2>&1";
    REQUIRE(WEXITSTATUS(std::system(command.c_str())) == 130);
  }
}

TEST_CASE("a reader that leaves ends no run and changes no exit code") {
  const Program program;
  const std::string streams = GENERATE("2>&1 >/dev/null", "2>/dev/null", "--json 2>/dev/null");
  const std::string folder = program.scratch.path().string();
  const std::string command = "cd '" + folder + "/repo' && { " + DSV4_BUILD_DIR +
                              "/dsv4-agent fix ../issue.md --test false --attempts 1 --max-turns 1"
                              " --run-dir ../run " +
                              streams + "; echo $? > ../code; } | true";
  REQUIRE(std::system(command.c_str()) == 0);
  REQUIRE(program.scratch.read("code") == "1\n");
  REQUIRE_FALSE(fs::exists(program.scratch / "run/work"));
}

TEST_CASE("what the program prints in a pipe has no control characters") {
  const Program program;
  program.scratch.write("a\x1b[31m.md", "");
  const Ended ended = program.run("fix \"$S/$(printf 'a\\033[31m').md\"");
  REQUIRE(ended.status == 2);
  REQUIRE(ended.err.find('\x1b') == std::string::npos);
  REQUIRE(ended.err.find("\\x1b[31m") != std::string::npos);
}

TEST_CASE("doctor says in words and in JSON what works") {
  const Program program;
  const Ended ended = program.run("doctor --json --model $S/absent");
  REQUIRE(ended.status == 3);
  const auto json = nlohmann::json::parse(ended.out);
  REQUIRE_FALSE(json["ok"].get<bool>());
  bool model = false;
  for (const auto& check : json["checks"]) {
    if (check["name"] == "model") model = check["state"] == "bad" && check["advice"].is_string();
  }
  REQUIRE(model);
  REQUIRE(program.run("doctor --no-such-option").status == 2);
}

TEST_CASE("models lists the embedded model, the configured one and those named") {
  const Program program;
  program.scratch.write("config.json", "{}");
  const Ended ended = program.run("models --json $S $S/absent");
  REQUIRE(ended.status == 3);
  const auto models = nlohmann::json::parse(ended.out)["models"];
  REQUIRE(models.size() == 3);
  REQUIRE(models[0]["name"] == "nano");
  REQUIRE(models[0]["fits_in_memory"] == true);
  for (const int bad : {1, 2}) REQUIRE_FALSE(models[bad]["error"].get<std::string>().empty());

  const Ended words = program.run("models");
  REQUIRE(words.status == 0);
  REQUIRE(words.out.find("nano (embedded)") != std::string::npos);
  REQUIRE(program.run("models --no-such-option").status == 2);
}

TEST_CASE("bench has the commands of dsv4-bench") {
  const Program program;
  const Ended help = program.run("bench --help");
  REQUIRE(help.status == 0);
  REQUIRE(help.out.find("frontier") != std::string::npos);
  REQUIRE(program.run("bench no-such-command").status == 2);
  REQUIRE(program.run("bench frontier --model $S/absent").status == 3);
}
