#include "agent/config_file.h"

#include <sys/stat.h>

#include "agent/error.h"
#include "agent/fix_options.h"
#include "agent/task.h"
#include "agent/terminal/interactive.h"
#include "tests/agent/program.h"
#include "tests/agent/toy.h"
#include "tests/catch.h"

using namespace dsv4::agent;
using namespace std::chrono_literals;
using terminal::parse_interactive_arguments;

namespace {

UserConfig user(const std::string& text) { return parse_user_config(text, "config.toml"); }

RepositoryConfig repository(const std::string& text) {
  return parse_repository_config(text, "repo/.dsv4-agent.toml");
}

constexpr const char* kAll = R"(
model = "/models/flash"

[fix]
attempts = 3
parallel = 2
max-turns = 20
max-tokens = 1_000
time-limit = "2h"
seed = 7

[session]
approve = "read-only"
max-turns = 9
max-tokens = 90
seed = 8

[[hooks]]
on = "after-tool"
tools = ["edit", "write"]
command = "make format"

[[hooks]]
on = "finish"
command = "notify-send \"$2\""
timeout = "1m"
sandbox = false
)";

struct Bad {
  const char* text;
  const char* sentence;  // a part of it
};

}  // namespace

TEST_CASE("the user's configuration sets defaults, and flags come before it") {
  const UserConfig config = user(kAll);
  const FixArguments plain = parse_fix_arguments({"issue.md"}, config);
  REQUIRE(plain.model == "/models/flash");
  REQUIRE(plain.options.attempts == 3);
  REQUIRE(plain.options.parallel == 2);
  REQUIRE(plain.options.limits.turns == 20);
  REQUIRE(plain.options.limits.tokens == 1000);
  REQUIRE(plain.options.time_limit == 2h);
  REQUIRE(plain.options.seed == 7);
  REQUIRE(plain.options.sandboxed);
  const FixArguments typed =
      parse_fix_arguments({"issue.md", "--model", "m", "--attempts", "4", "--max-turns", "5",
                           "--max-tokens", "6", "--time-limit", "1m", "--seed", "0"},
                          config);
  REQUIRE(typed.model == "m");
  REQUIRE(typed.options.attempts == 4);
  REQUIRE(typed.options.limits.turns == 5);
  REQUIRE(typed.options.limits.tokens == 6);
  REQUIRE(typed.options.time_limit == 1min);
  REQUIRE(typed.options.seed == 0);

  const ChatOptions chat = parse_interactive_arguments({}, config).chat;
  REQUIRE(chat.model == "/models/flash");
  REQUIRE(chat.approval == Approval::kReadOnly);
  REQUIRE(chat.limits.turns == 9);
  REQUIRE(chat.limits.tokens == 90);
  REQUIRE(chat.seed == 8);

  for (const std::vector<Hook>& hooks : {plain.options.hooks, chat.hooks}) {
    REQUIRE(hooks.size() == 2);
    REQUIRE(hooks[0].on == Hook::On::kAfterTool);
    REQUIRE(hooks[0].tools == std::vector<std::string>{"edit", "write"});
    REQUIRE(hooks[0].command == "make format");
    REQUIRE(hooks[0].timeout == 10s);
    REQUIRE(hooks[0].sandboxed);
    REQUIRE(hooks[1].on == Hook::On::kFinish);
    REQUIRE(hooks[1].tools.empty());
    REQUIRE(hooks[1].timeout == 1min);
    REQUIRE_FALSE(hooks[1].sandboxed);
  }
  REQUIRE(parse_interactive_arguments({"--approve", "ask", "--seed", "0"}, config).chat.approval ==
          Approval::kAsk);
}

TEST_CASE("what cannot be used is refused with file, line and key") {
  const std::vector<Bad> bad = {
      {"model = ", "config.toml:1: "},
      {"\n\n[fix\n", "config.toml:3: "},
      {"colour = true",
       "config.toml:1: there is no setting colour, but endpoint, fix, hooks, "
       "model, prices, session"},
      {"[fix]\natempts = 3", "config.toml:2: there is no setting fix.atempts, but attempts, "},
      {"[fix]\nattempts = \"3\"", "config.toml:2: fix.attempts must be a whole number from 1 to"},
      {"[fix]\nattempts = 3.0", "config.toml:2: fix.attempts must be a whole number"},
      {"[fix]\nattempts = 0", "config.toml:2: fix.attempts must be a whole number"},
      {"[fix]\nattempts = 1001", "config.toml:2: fix.attempts must be a whole number"},
      {"[fix]\nparallel = 65", "config.toml:2: fix.parallel must be a whole number from 1 to 64"},
      {"[fix]\nseed = -1", "config.toml:2: fix.seed must be a whole number"},
      {"[fix]\n\ntime-limit = 30", "config.toml:3: fix.time-limit must be a duration such as"},
      {"[fix]\ntime-limit = \"soon\"", "config.toml:2: fix.time-limit must be a duration"},
      {"[fix]\nno-sandbox = true", "config.toml:2: fix.no-sandbox is for a person to type"},
      {"[session]\nno-sandbox = true", "config.toml:2: session.no-sandbox is for a person"},
      {"[session]\nattempts = 3", "config.toml:2: there is no setting session.attempts"},
      {"[session]\napprove = \"all\"", "config.toml:2: session.approve must be \"read-only\""},
      {"[session]\napprove = true", "config.toml:2: session.approve must be a text"},
      {"fix = 3", "config.toml:1: fix must be a table: [fix]"},
      {"[model]", "config.toml:1: model must be a text"},
      {"model = \" \"", "config.toml:1: model must be a text that is not empty"},
      {"model = \"flash\"", "config.toml:1: model must be a whole path"},
      {"model = \"/a\\u0000b\"", "config.toml:1: model must not hold a NUL"},
      {"model = \"/a\"\nmodel = \"/b\"", "config.toml:2: "},
      {"model = \"/\xff\"", "config.toml:1: "},
      {"hooks = 3", "config.toml:1: hooks must be a list"},
      {"hooks = [3]", "config.toml:1: hooks must be a table"},
      {"[hooks]\non = \"finish\"", "config.toml:1: hooks must be a list"},
      {"[[hooks]]\non = \"finish\"", "config.toml:1: hooks must say `on` what to run"},
      {"[[hooks]]\ncommand = \"true\"", "config.toml:1: hooks must say `on` what to run"},
      {"[[hooks]]\non = \"start\"", "config.toml:2: hooks.on must be \"before-tool\", "},
      {"[[hooks]]\nsandbox = \"no\"", "config.toml:2: hooks.sandbox must be true or false"},
      {"[[hooks]]\ntimeout = \"1h\"", "config.toml:2: hooks.timeout must be at most \"10m\""},
      {"[[hooks]]\ntools = \"edit\"", "config.toml:2: hooks.tools must be a list"},
      {"[[hooks]]\ntools = [\"edti\"]", "config.toml:2: hooks.tools must name tools: plan, "},
      {"[[hooks]]\nwhen = 1", "config.toml:2: there is no setting hooks.when, but command, on, "},
  };
  for (const Bad& each : bad) {
    INFO(each.text);
    REQUIRE_THROWS_AS(user(each.text), UsageError);
    REQUIRE_THROWS_WITH(user(each.text), message_with(each.sentence));
  }
  REQUIRE_THROWS_AS(user("a = " + std::string(10'000, '[')), UsageError);
}

TEST_CASE("a repository says how it is tested, and nothing that is for its user to say") {
  const RepositoryConfig config =
      repository("test = \"make check\"\ntimeout = \"90s\"\n[fix]\nattempts = 2\nmax-turns = 3\n");
  REQUIRE(config.test == "make check");
  REQUIRE(config.timeout == 90s);
  REQUIRE(config.fix.attempts == 2);
  REQUIRE(config.fix.max_turns == 3);
  const std::vector<Bad> bad = {
      {"model = \"/m\"", "repo/.dsv4-agent.toml:1: model is not for a repository to set"},
      {"[session]\napprove = \"auto\"", ":1: session is not for a repository to set"},
      {"[[hooks]]\non = \"finish\"\ncommand = \"true\"", ":1: hooks is not for a repository"},
      {"[fix]\ntime-limit = \"9h\"", ":2: fix.time-limit is not for a repository to set"},
      {"[fix]\nno-sandbox = true", ":2: fix.no-sandbox is not for a repository to set"},
      {"[fix]\nparallel = 64", ":2: fix.parallel is not for a repository to set"},
      {"[fix]\nseed = 1", ":2: fix.seed is not for a repository to set"},
      {"timeout = \"11m\"", ":1: timeout must be at most \"10m\""},
      {"test = [\"make\"]", ":1: test must be a text"},
      {"sandbox = false", ":1: there is no setting sandbox"},
  };
  for (const Bad& each : bad) {
    INFO(each.text);
    REQUIRE_THROWS_WITH(repository(each.text), message_with(each.sentence));
  }
}

TEST_CASE("a repository's limits count where they are lower than the user's") {
  Toy toy;
  toy.options.attempts = 2;
  toy.options.limits.turns = 3;
  const Attempts idle(9, std::vector<dsv4::llm::Reply>(9, calls({{"list", {{"path", "."}}}})));
  SECTION("higher ones do not") {
    toy.scratch.write("repo/.dsv4-agent.toml", "[fix]\nattempts = 9\nmax-turns = 9\n");
    REQUIRE(toy.fix(idle).turns == 6);
  }
  SECTION("lower ones do") {
    toy.scratch.write("repo/.dsv4-agent.toml", "[fix]\nattempts = 1\nmax-turns = 2\n");
    REQUIRE(toy.fix(idle).turns == 2);
  }
}

TEST_CASE("a repository's test command comes after the issue's, and before what is detected") {
  const Scratch scratch;
  git_init(scratch / "repo");
  scratch.write("repo/test_it.py", "");
  scratch.write("issue.md", "It fails.\n");
  TaskOptions options;
  options.issue = (scratch / "issue.md").string();
  options.repo = (scratch / "repo").string();
  std::istringstream none;
  const auto load = [&] { return load_task(options, none, {}); };
  REQUIRE(load().test.source == "pytest");
  scratch.write("repo/.dsv4-agent.toml", "test = \"make check\"\ntimeout = \"5s\"\n");
  REQUIRE(load().test.command == "make check");
  REQUIRE(load().test.source == ".dsv4-agent.toml");
  REQUIRE(load().test_timeout == 5s);
  scratch.write("issue.md", "---\ntest: make issue\ntimeout: 20m\n---\nIt fails.\n");
  REQUIRE(load().test.command == "make issue");
  REQUIRE(load().test_timeout == 20min);
}

TEST_CASE("a configuration that is no file of its own is not read, nor waited for") {
  const Scratch scratch;
  REQUIRE_FALSE(read_repository_config(scratch.path()).test);
  const auto file = scratch / kRepositoryConfig;
  SECTION("a link out of the repository") {
    scratch.write("secret.toml", "test = \"true\"\n");
    std::filesystem::create_symlink(scratch / "secret.toml", file);
  }
  SECTION("a pipe") { REQUIRE(::mkfifo(file.c_str(), 0600) == 0); }
  SECTION("a directory") { std::filesystem::create_directory(file); }
  SECTION("a huge one") {
    scratch.write(kRepositoryConfig, "# " + std::string(kLongestConfig, 'x'));
  }
  REQUIRE_THROWS_AS(read_repository_config(scratch.path()), UsageError);
}

TEST_CASE("the program reads the user's configuration and ends with 2 where it cannot") {
  const Scratch scratch;
  const auto run = [&](const std::string& arguments) {
    return run_agent(scratch, scratch.path(), arguments);
  };
  scratch.write("issue.md", "It fails.\n");
  scratch.write("config/dsv4-agent/config.toml", "model = \"/absent/model\"\n");
  git_init(scratch / "repo");
  scratch.write("repo/test_it.py", "def test_it():\n    assert False\n");
  const Ended absent = run("fix issue.md --repo repo --test 'python3 test_it.py' --quiet");
  INFO(absent.err);
  REQUIRE(absent.status == 3);
  REQUIRE(absent.err.find("/absent/model") != std::string::npos);
  REQUIRE(run("doctor").out.find("/absent/model") != std::string::npos);

  scratch.write("config/dsv4-agent/config.toml", "\n[fix]\nattempts = true\n");
  const std::string sentence =
      (scratch / "config/dsv4-agent/config.toml").string() + ":3: fix.attempts must be";
  for (const char* arguments : {"fix issue.md --repo repo --json", "--repo repo < /dev/null"}) {
    INFO(arguments);
    const Ended refused = run(arguments);
    REQUIRE(refused.status == 2);
    REQUIRE(refused.err.find(sentence) != std::string::npos);
  }
  REQUIRE(run("doctor").status == 2);

  // What it says could be a limit: a link that has lost its file is no configuration that is empty.
  std::filesystem::remove(scratch / "config/dsv4-agent/config.toml");
  std::filesystem::create_symlink("/absent", scratch / "config/dsv4-agent/config.toml");
  const Ended lost = run("--repo repo < /dev/null");
  REQUIRE(lost.status == 2);
  REQUIRE(lost.err.find("config.toml is a link to nothing") != std::string::npos);
  REQUIRE(run("doctor").status == 2);
  REQUIRE(run("fix --help").status == 0);
  REQUIRE(run("--help").status == 0);
}
