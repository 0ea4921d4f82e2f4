#include <sys/stat.h>

#include <filesystem>

#include "tests/catch.h"
#include "tests/tools/fixture.h"
#include "tools/text.h"

namespace fs = std::filesystem;
using dsv4::tools::testing::Bench;
using dsv4::tools::testing::run_command;
using Json = nlohmann::ordered_json;

namespace {

struct Refusal {
  const char* tool;
  Json arguments;
  const char* reply;
};

}  // namespace

TEST_CASE("a wrong call is told what was expected") {
  const Refusal refusals[] = {
      {"fly", Json::object(),
       "Error: there is no tool fly; the tools are plan, list, read, search, symbols, edit, write, "
       "bash, test, diff, undo, finish."},
      {"edit",
       {{"path", "a"}, {"old", 3}, {"new", "x"}},
       "Error: edit: argument old must be a string, got 3."},
      {"edit", {{"path", "a"}, {"old", "x"}}, "Error: edit: give new."},
      {"edit", {{"old", "x"}, {"new", "y"}}, "Error: edit: give path or symbol."},
      {"edit",
       {{"paht", "a"}, {"new", "y"}},
       "Error: edit: there is no argument paht; the arguments are path, symbol, old, new."},
      {"read", Json::object(), "Error: read: give path or symbol."},
      {"read", {{"path", nullptr}}, "Error: read: argument path must be a string, got null."},
      {"read",
       {{"path", "calc.py"}, {"first", "3"}},
       "Error: read: argument first must be an integer, got \"3\"."},
      {"read",
       {{"path", "calc.py"}, {"first", 1.5}},
       "Error: read: argument first must be an integer, got 1.5."},
      {"read",
       {{"path", "calc.py"}, {"first", 0}},
       "Error: calc.py has 14 lines; give first between 1 and that."},
      {"read",
       {{"path", "calc.py"}, {"first", UINT64_MAX}},
       "Error: read: argument first must be an integer, got 18446744073709551615."},
      {"read",
       {{"path", "calc.py"}, {"first", 5}, {"last", 4}},
       "Error: calc.py has 14 lines; give last no less than first, 5."},
      {"read", Json::array({1, 2}), "Error: read: the arguments must be an object, got [1,2]."},
      {"read", {{"path", "none.py"}}, "Error: there is no none.py; list shows what is there."},
      {"read",
       {{"path", "calc.py/x"}},
       "Error: calc.py/x goes through something that is not a directory; use list."},
      {"read", {{"path", "."}}, "Error: the root is a directory; use list."},
      {"read",
       {{"symbol", "nothing"}},
       "Error: no function, method or class nothing; symbols lists the names of a file, search "
       "finds "
       "text."},
      {"list", {{"path", "calc.py"}}, "Error: calc.py is a file; use read."},
      {"plan",
       {{"items", "one"}},
       "Error: plan: argument items must be an array of strings, got "
       "\"one\"."},
      {"plan",
       {{"items", {"one", 2}}},
       "Error: plan: argument items must be an array of strings, got [\"one\",2]."},
      {"search",
       {{"pattern", "("}},
       "Error: search: the pattern is no regular expression (missing closing parenthesis at "
       "character "
       "1); put a backslash before special characters."},
      {"search",
       {{"pattern", "x"}, {"path", "none"}},
       "Error: there is no none; list shows what is there."},
      {"symbols",
       {{"path", "notes.txt"}},
       "Error: notes.txt is in no language that has an outline; use read or search."},
      {"write", {{"path", ""}, {"content", ""}}, "Error: the root is a directory; use list."},
      {"write",
       {{"path", "calc.py/x"}, {"content", ""}},
       "Error: calc.py goes through something that is not a directory; use list."},
      {"bash",
       {{"command", "true"}, {"timeout", 0}},
       "Error: bash: timeout must be between 1 and 3600 seconds, got 0."},
      {"bash",
       {{"command", std::string("a\0b", 3)}},
       "Error: bash: the command holds a NUL byte; give one without it."},
      {"bash", Json::object(), "Error: bash: give one of command, status and stop."},
      {"bash",
       {{"command", "true"}, {"stop", 1}},
       "Error: bash: give one of command, status and stop."},
      {"bash", {{"status", 1}}, "Error: bash: there is no job 1; background=true starts one."},
      {"bash",
       {{"command", "true"}, {"background", 1}},
       "Error: bash: argument background must be true or false, got 1."},
      {"test",
       {{"now", true}},
       "Error: test: there is no argument now; call it without arguments."},
      {"finish", Json::object(), "Error: finish: give summary."},
  };
  Bench bench;
  bench.put("notes.txt", "hello\n");
  for (const Refusal& one : refusals) {
    INFO(one.tool << " " << one.arguments.dump());
    CHECK(bench.refused(one.tool, one.arguments) == one.reply);
  }
}

TEST_CASE("hostile paths are refused by every tool that takes one, and nothing happens outside") {
  Bench bench;
  bench.track(".");
  fs::create_directory(bench.outside() / "secret");
  bench.put("../secret/key", "hunter2");
  fs::create_directory_symlink("../secret", bench.root() / "out");
  fs::create_symlink("../secret/key", bench.root() / "key");
  fs::create_symlink("/etc/passwd", bench.root() / "passwd");
  fs::create_symlink("loop", bench.root() / "loop");
  fs::create_directory_symlink(".git", bench.root() / "dotgit");
  REQUIRE(::mkfifo((bench.root() / "fifo").c_str(), 0600) == 0);
  const std::string before = dsv4::tools::testing::tree_state(bench.outside());
  const std::string paths[] = {"../secret/key",
                               "a/../../secret/key",
                               "/etc/passwd",
                               "out/key",
                               "key",
                               "passwd",
                               "loop",
                               "fifo",
                               ".git/config",
                               "sub/.GIT/x",
                               "dotgit/config",
                               "/work/../secret",
                               std::string(5000, 'a'),
                               std::string("a\0b", 3),
                               std::string(300, 'b') + "/x"};
  for (const std::string& path : paths) {
    INFO(path.substr(0, 40));
    const std::pair<const char*, Json> calls[] = {
        {"read", {{"path", path}}},
        {"edit", {{"path", path}, {"old", "a"}, {"new", "b"}}},
        {"write", {{"path", path}, {"content", "x"}}},
        {"symbols", {{"path", path}}},
        {"search", {{"path", path}, {"pattern", "."}}}};
    for (const auto& [tool, arguments] : calls) {
      INFO(tool);
      const std::string reply = bench.refused(tool, arguments);
      CHECK(reply.starts_with("Error: "));
      CHECK(reply.find("hunter2") == std::string::npos);
      CHECK(reply.size() < 1000);
    }
  }
  CHECK(bench.refused("list", {{"path", "out"}}).starts_with("Error: out goes through a link"));
  fs::remove_all(bench.outside() / "state");
  CHECK(dsv4::tools::testing::tree_state(bench.outside()) == before);
}

TEST_CASE("CI configuration and hooks can be read, and are changed by no tool") {
  Bench bench;
  bench.put(".github/workflows/ci.yml", "on: push\n");
  bench.put(".githooks/check.py", "def check():\n    return 1\n");
  const std::string sentence = "is CI configuration or a hook";
  CHECK(bench.done("read", {{"path", ".github/workflows/ci.yml"}}).find("on: push") !=
        std::string::npos);
  for (const Json& call :
       std::vector<Json>{{{"path", ".github/workflows/ci.yml"}, {"content", "x"}},
                         {{"path", ".github/new.yml"}, {"content", "x"}},
                         {{"path", "./.GitLab-CI.yml"}, {"content", "x"}},
                         {{"path", "/work/.husky/pre-commit"}, {"content", "x"}}}) {
    CHECK(bench.refused("write", call).find(sentence) != std::string::npos);
  }
  CHECK(bench.refused("edit", {{"path", ".github/workflows/ci.yml"}, {"old", "on"}, {"new", "x"}})
            .find(sentence) != std::string::npos);
  CHECK(bench.refused("edit", {{"symbol", "check"}, {"new", "def check(): pass"}}).find(sentence) !=
        std::string::npos);
  const Json both = {{{"path", "calc.py"}, {"old", "side"}, {"new", "edge"}},
                     {{"path", ".github/workflows/ci.yml"}, {"old", "on"}, {"new", "x"}}};
  CHECK(bench.refused("edit", {{"edits", both}}).find("Nothing was changed.") != std::string::npos);
  CHECK(bench.bytes("calc.py") == dsv4::tools::testing::kCalc);
  CHECK(bench.bytes(".github/workflows/ci.yml") == "on: push\n");
  CHECK_FALSE(bench.has(".husky"));
  CHECK(bench.done("write", {{"path", "docs/.github/x.yml"}, {"content", "x"}}).find("Wrote") == 0);
}

TEST_CASE("the empty files that a box puts in the way are not shown, nor is a change of one") {
  Bench bench;
  bench.put(".travis.yml", "");
  std::filesystem::create_directories(bench.root() / ".circleci");
  bench.put(".ci/run.sh", "make\n");
  const std::string listed = bench.done("list", Json::object());
  CHECK(listed.find(".travis.yml") == std::string::npos);
  CHECK(listed.find(".circleci") == std::string::npos);
  CHECK(bench.done("search", {{"pattern", "make"}, {"glob", ".ci/*"}}).find("run.sh") !=
        std::string::npos);
  // As a command could that runs without a sandbox.
  bench.put(".ci/run.sh", "make evil\n");
  bench.put("calc.py", "changed = 1\n");
  const std::string diff = bench.done("diff", Json::object());
  CHECK(diff.find("calc.py") != std::string::npos);
  CHECK(diff.find("evil") == std::string::npos);
  CHECK(diff.find("\n.ci/run.sh is CI configuration or a hook") != std::string::npos);
}

TEST_CASE("odd names and contents come out as valid text, one line each") {
  Bench bench;
  const std::string names[] = {"new\nline.py", "-rf", "bad\xff.py", "quote\".py", "\u00fcber.py"};
  for (const std::string& name : names) bench.put(name, "x = 1 # \xfe\n");
  CHECK(bench.done("list", Json::object()) ==
        "-rf\n\"bad\\377.py\"\ncalc.py\n\"new\\nline.py\"\n\"quote\\\".py\"\ntest_calc."
        "py\n\u00fcber.py");
  for (const std::string& name : names) {
    CHECK(bench.done("read", {{"path", name}}).ends_with(", 1 line\n1\tx = 1 # \uFFFD"));
    bench.done("edit", {{"path", name}, {"old", "x = 1"}, {"new", "x = 2"}});
    CHECK(bench.bytes(name) == "x = 2 # \xfe\n");
  }
  CHECK(bench.done("search", {{"pattern", "x = 2"}, {"glob", "-*"}}) == "-rf:1:x = 2 # \uFFFD");
  bench.put("bin", std::string("a\0b", 3));
  CHECK(bench.refused("read", {{"path", "bin"}}) ==
        "Error: bin is a binary file of 3 bytes; use bash to look into it.");
  bench.put("empty", "");
  CHECK(bench.done("read", {{"path", "empty"}}) == "empty, 0 lines");
}

TEST_CASE("long results keep head and tail, and read shows the rest") {
  Bench bench;
  bench.output_limit = 1000;
  std::string text;
  for (int k = 0; k < 1000; ++k) text += "line " + std::to_string(k) + "\n";
  bench.put("long.txt", text);
  const std::string reply = bench.done("read", {{"path", "long.txt"}});
  CHECK(reply.size() < 1200);
  CHECK(reply.starts_with("long.txt, 1000 lines\n1\tline 0\n"));
  CHECK(reply.ends_with("1000\tline 999"));
  CHECK(reply.find(" bytes cut; the whole is in .dsv4/outputs/1.txt ...]\n") != std::string::npos);
  CHECK(bench.done("read", {{"path", ".dsv4/outputs/1.txt"}, {"first", 500}, {"last", 501}}) ==
        ".dsv4/outputs/1.txt, lines 500-501 of 1001\n500\t499\tline 498\n501\t500\tline 499");
}

TEST_CASE("a file too large to open is said to be") {
  Bench bench;
  bench.put("huge", "");
  fs::resize_file(bench.root() / "huge", 100 << 20);
  CHECK(
      bench.refused("read", {{"path", "huge"}}) ==
      "Error: huge is too large to open here (104857600 bytes); use bash with head, tail or grep.");
  CHECK(bench.done("search", {{"pattern", "class"}, {"glob", "h*"}}) ==
        "No match for class.\n[... 1 files too large or not readable ...]");
}

TEST_CASE("search is ripgrep's: ignored, hidden and binary files are passed over") {
  Bench bench;
  bench.put(".gitignore", "*.log\n!keep.log\n/top\nsub/*.tmp\n");
  for (const char* path : {"a.log", "keep.log", "top", "in/top", "sub/x.tmp", "sub/deep/x.tmp",
                           ".hidden/h.txt", "src/m.cc", "src/m.hh"}) {
    bench.put(path, "needle here\n");
  }
  bench.put("bin", std::string("needle\0", 7));
  CHECK(bench.done("search", {{"pattern", "needle"}}) ==
        "in/top:1:needle here\nkeep.log:1:needle here\nsrc/m.cc:1:needle here\n"
        "src/m.hh:1:needle here\nsub/deep/x.tmp:1:needle here");
  CHECK(bench.done("search", {{"pattern", "^NEEDLE"}}) == "No match for ^NEEDLE.");
  CHECK(bench.done("search", {{"pattern", "(?i)^NEEDLE"}, {"glob", "*.{cc,hh}"}}) ==
        "src/m.cc:1:needle here\nsrc/m.hh:1:needle here");
  CHECK(bench.done("search", {{"pattern", "needle"}, {"glob", "src/**"}, {"path", "src"}}) ==
        "src/m.cc:1:needle here\nsrc/m.hh:1:needle here");
  CHECK(bench.done("search", {{"pattern", "needle"}, {"path", ".hidden"}}) ==
        ".hidden/h.txt:1:needle here");
  CHECK(bench.done("search", {{"pattern", "needle"}, {"path", "a.log"}}) == "a.log:1:needle here");
}

TEST_CASE("search through many directories gives the first matches in the order of the paths") {
  Bench bench;
  std::string expected;
  for (int k = 0; k < 60; ++k) {
    const std::string folder = "d" + std::to_string(100 + k);
    std::string lines;
    for (int line = 1; line <= 10; ++line) lines += "x needle " + std::to_string(line) + "\n";
    // "-" comes before "/", and "0" after it.
    for (const char* name : {"-a", "/a/b", "/a0", "0"}) {
      bench.put(folder + name, lines);
      for (int line = 1; line <= 10; ++line) {
        expected +=
            folder + name + ":" + std::to_string(line) + ":x needle " + std::to_string(line) + "\n";
      }
    }
  }
  size_t end = 0;
  for (int line = 0; line < 500; ++line) end = expected.find('\n', end) + 1;
  for (int round = 0; round < 5; ++round) {
    CHECK(bench.done("search", {{"pattern", "needle \\d+$"}}) ==
          expected.substr(0, end) +
              "[... more than 500 matches; give path or glob, or a narrower pattern ...]");
  }
}

TEST_CASE("a whole output that was cut can be searched") {
  Bench bench;
  bench.output_limit = 1000;
  bench.done("bash", {{"command", "seq 100000"}});
  CHECK(bench.done("search", {{"pattern", "^5000\\d$"}, {"path", ".dsv4/outputs/1.txt"}})
            .starts_with(".dsv4/outputs/1.txt:50000:50000\n.dsv4/outputs/1.txt:50001:50001\n"));
}

TEST_CASE("a glob of alternatives without end takes no memory to speak of") {
  Bench bench;
  bench.put("a.txt", "needle\n");
  const std::string glob = "{" + std::string(200'000, ',') + "}{a,b}.txt";
  CHECK(bench.done("search", {{"pattern", "needle"}, {"glob", glob}}) == "No match for needle.");
}

TEST_CASE("a pattern that backtracks without end is stopped") {
  Bench bench;
  bench.put("a.txt", std::string(5000, 'a') + "b\n");
  CHECK(
      bench.refused("search", {{"pattern", "^(a|aa)+$"}, {"path", "a.txt"}}) ==
      "Error: search: the pattern takes too long on a.txt line 1; make it simpler, without nested "
      "repeats.");
}

TEST_CASE("bash keeps directory and variables between calls, and says how a command ended") {
  Bench bench;
  bench.put("sub/x", "");
  CHECK(bench.done("bash", {{"command", "cd sub; export A='b c'; echo hi"}}) ==
        "hi\n(exit status 0)");
  CHECK(bench.done("bash", {{"command", "ls; echo $A; exit 3"}}) == "x\nb c\n(exit status 3)");
  CHECK(bench.done("bash", {{"command", "sleep 30"}, {"timeout", 1}}) == "(killed after 1 s)");
  CHECK(bench.done("bash", {{"command", "printf no-end"}}) == "no-end\n(exit status 0)");
  CHECK(bench.done("bash", {{"command", "printf '\\377'"}}) == "\uFFFD\n(exit status 0)");
  const std::string flood = bench.done("bash", {{"command", "seq 100000"}});
  CHECK(flood.starts_with("1\n2\n"));
  CHECK(flood.ends_with("100000\n(exit status 0)"));
  CHECK(bench.done("read", {{"path", ".dsv4/outputs/1.txt"}, {"first", 50000}, {"last", 50000}}) ==
        ".dsv4/outputs/1.txt, lines 50000-50000 of 100001\n50000\t50000");
}

TEST_CASE("a command in the background is watched and stopped") {
  Bench bench;
  bench.put("sub/x", "");
  bench.done("bash", {{"command", "cd sub; export A='b c'"}});
  CHECK(bench.done("bash", {{"command", "ls; echo $A > made; exit 3"}, {"background", true}}) ==
        "Started job 1. status=1 shows what it has written, stop=1 ends it.");
  CHECK(bench.done("bash", {{"status", 1}}) == "x\n(job 1: exit status 3)");
  CHECK(bench.done("read", {{"path", "sub/made"}}) == "sub/made, 1 line\n1\tb c");
  bench.done("bash", {{"command", "echo begun; sleep 60"}, {"background", true}});
  const std::string running = bench.done("bash", {{"status", 2}, {"timeout", 1}});
  CHECK(running.starts_with("begun\n(job 2: running for "));
  CHECK(bench.done("bash", {{"command", "echo meanwhile"}}) == "meanwhile\n(exit status 0)");
  CHECK(bench.done("bash", {{"stop", 2}})
            .starts_with("[... 6 bytes shown before; the whole is in .dsv4/outputs/2.txt ...]\n"
                         "(job 2: cancelled after "));
  CHECK(bench.refused("bash", {{"stop", 3}}) ==
        "Error: bash: there is no job 3; the last one is 2.");
  bench.done("bash", {{"command", "sleep 60"}, {"background", true}, {"timeout", 1}});
  CHECK(bench.done("bash", {{"status", 3}}).starts_with("(job 3: killed after 1"));
}

TEST_CASE("a job's output is shown as it comes, each part once") {
  Bench bench;
  bench.done("bash", {{"command", "echo one; until [ -e go ]; do :; done; echo two"},
                      {"background", true}});
  std::string first = bench.done("bash", {{"status", 1}, {"timeout", 1}});
  CHECK(first.starts_with("one\n(job 1: running for "));
  bench.done("bash", {{"command", "touch go"}});
  CHECK(bench.done("bash", {{"status", 1}, {"timeout", 60}}) ==
        "[... 4 bytes shown before; the whole is in .dsv4/outputs/1.txt ...]\ntwo\n"
        "(job 1: exit status 0)");
  CHECK(bench.done("search", {{"pattern", "t.o"}, {"path", ".dsv4/outputs/1.txt"}}) ==
        ".dsv4/outputs/1.txt:2:two");
}

TEST_CASE("a command has no input, and a terminal only when it asks for one") {
  Bench bench;
  CHECK(bench.done("bash", {{"command", "cat; read x; echo $?; tty"}}) ==
        "1\nnot a tty\n(exit status 1)");
  const std::string shows = "test -t 1 && tput cols; printf '\\033[31mred\\033[0m\\033]0;t\\a\\n'";
  CHECK(bench.done("bash", {{"command", "export A=1; cd /; cd -; " + shows}, {"terminal", true}})
            .ends_with("100\nred\n(exit status 0)"));
  CHECK(bench.done("bash", {{"command", "echo $A; exit 3"}, {"terminal", true}}) ==
        "1\n(exit status 3)");
  CHECK(bench.done("bash", {{"command", "sleep 30"}, {"terminal", true}, {"timeout", 1}}) ==
        "(killed after 1 s)");
}

TEST_CASE("jobs are few, keep their newest output, and end with the toolbox") {
  const auto left = [] { return run_command("pgrep -fc 'sleep 98765[4]' || true"); };
  {
    Bench bench;
    bench.output_limit = 4 << 20;
    bench.done("bash", {{"command", "seq 400000"}, {"background", true}});
    const std::string newest = bench.done("bash", {{"status", 1}, {"timeout", 60}});
    CHECK(newest.find(" bytes left out; the whole is in .dsv4/outputs/1.txt ...]\n") < 30);
    CHECK(bench.done("read", {{"path", ".dsv4/outputs/1.txt"}, {"first", 2}, {"last", 2}}) ==
          ".dsv4/outputs/1.txt, lines 2-2 of 400000\n2\t2");
    CHECK(newest.ends_with("\n400000\n(job 1: exit status 0)"));
    CHECK(newest.size() < (1 << 20) + 100);
    for (int i = 0; i < 8; ++i) {
      bench.done("bash", {{"command", "echo up; sleep 987654"}, {"background", true}});
    }
    for (int i = 0; i < 8; ++i) {
      const std::string status = bench.done("bash", {{"status", 2 + i}, {"timeout", 1}});
      CHECK(status.starts_with("up\n(job "));
    }
    CHECK(left() != "0\n");
    CHECK(bench.refused("bash", {{"command", "true"}, {"background", true}}) ==
          "Error: bash: 8 jobs are running; stop one first.");
  }
  CHECK(left() == "0\n");
}

TEST_CASE("a job may change files while other tools look at them") {
  Bench bench;
  bench.done("bash",
             {{"command",
               "while :; do for i in 1 2 3 4 5 6 7 8; do mkdir -p d$i/e; echo $i > d$i/e/f; "
               "done; rm -rf d*; done"},
              {"background", true}});
  for (int i = 0; i < 40; ++i) {
    bench.done("bash", {{"command", "true"}});
    bench.done("list", Json::object());
    bench.done("write", {{"path", "own"}, {"content", std::to_string(i)}});
    bench.done("diff", Json::object());
  }
  bench.done("bash", {{"stop", 1}});
  CHECK(bench.done("read", {{"path", "own"}}) == "own, 1 line\n1\t39");
}

TEST_CASE("a file of holes that a command made is no obstacle to diff") {
  Bench bench;
  bench.done("bash", {{"command", "truncate -s 1G holes"}});
  bench.done("write", {{"path", "own"}, {"content", "1\n"}});
  CHECK(bench.done("diff", Json::object()).find("own") != std::string::npos);
  bench.done("undo", Json::object());
}

TEST_CASE("symbols outlines both languages") {
  Bench bench;
  bench.put("a.cc",
            "namespace n {\nclass Foo {\n public:\n  int bar() { return 1; }\n  int baz();\n};\n"
            "template <class T>\nT twice(T x) { return x + x; }\n}\n"
            "int n::Foo::baz() { return 2; }\ntypedef struct { int x; } Point;\n"
            "bool operator<(Point a, Point b) { return a.x < b.x; }\n");
  CHECK(bench.done("symbols", {{"path", "a.cc"}}) ==
        "2\tclass Foo\n4\tmethod Foo::bar\n7\tfunction twice\n10\tmethod n::Foo::baz\n"
        "11\tstruct Point\n12\tfunction operator<");
  for (const char* name : {"baz", "Foo::baz", "Foo.baz", "n::Foo::baz"}) {
    CHECK(
        bench.done("read", {{"symbol", name}}).starts_with("a.cc: n::Foo::baz, lines 10-10 of 12"));
  }
  CHECK(bench.done("read", {{"symbol", "twice"}}) ==
        "a.cc: twice, lines 7-8 of 12\n7\ttemplate <class T>\n8\tT twice(T x) { return x + x; }");
  CHECK(bench.done("symbols", {{"path", "calc.py"}}) ==
        "1\tfunction clamp\n9\tclass Box\n10\tmethod Box.__init__\n13\tmethod Box.area");
}

TEST_CASE("source nested without end does not use up the stack") {
  Bench bench;
  bench.put("deep.py", "x = " + std::string(200000, '(') + "\n");
  bench.put("deep.cc", std::string(200000, '{') + "\nint f() { return 1; }\n");
  bench.done("symbols", {{"path", "deep.py"}});
  bench.done("symbols", {{"path", "deep.cc"}});
  bench.done("edit", {{"path", "deep.cc"}, {"old", "return 1"}, {"new", "return 2"}});
}

TEST_CASE("the checklist is what plan set last") {
  Bench bench;
  CHECK(bench.done("plan", {{"items", {"look", "fix"}}}) == "Plan noted.");
  CHECK(bench.toolbox().plan() == std::vector<std::string>{"look", "fix"});
}

TEST_CASE("text that is no UTF-8 becomes replacement characters, as Unicode recommends") {
  using dsv4::tools::valid_utf8;
  CHECK(valid_utf8("a\xC3\xA9\xF0\x9F\x98\x80") == "a\xC3\xA9\xF0\x9F\x98\x80");
  CHECK(valid_utf8("\xC0\x80") == "\uFFFD\uFFFD");            // overlong
  CHECK(valid_utf8("\xED\xA0\x80") == "\uFFFD\uFFFD\uFFFD");  // surrogate
  CHECK(valid_utf8("\xF0\x9F\x98") == "\uFFFD");              // cut short
  CHECK(valid_utf8("\xF4\x90\x80\x80") == "\uFFFD\uFFFD\uFFFD\uFFFD");
}
