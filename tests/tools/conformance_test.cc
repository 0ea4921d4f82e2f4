// What holds for every tool, whatever it is called with: a reply of bounded size in valid UTF-8
// that says what to do, nothing outside touched, no exception.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>
#include <tuple>

#include "tests/catch.h"
#include "tests/tools/fixture.h"
#include "tools/text.h"

namespace fs = std::filesystem;
using dsv4::tools::Outcome;
using dsv4::tools::testing::Bench;
using dsv4::tools::testing::tree_state;
using Json = nlohmann::ordered_json;

namespace {

// Of a call in the tree of a Bench that has sub/notes.txt too: how its reply begins.
struct GoodCall {
  const char* tool;
  Json arguments;
  const char* reply;
};

// At least one for each parameter of each tool.
const std::vector<GoodCall>& good_calls() {
  static const std::vector<GoodCall> kCalls{
      {"plan", {{"items", {"look", "fix"}}}, "Plan noted."},
      {"plan", {{"items", Json::array()}}, "Plan noted."},
      {"list", Json::object(), "calc.py\nsub/\ntest_calc.py"},
      {"list", {{"path", "./sub/"}}, "sub/notes.txt"},
      {"read", {{"path", "sub/notes.txt"}}, "sub/notes.txt, 2 lines\n1\tone\n2\ttwo"},
      {"read", {{"path", "/work/sub/notes.txt"}, {"first", 2}}, "sub/notes.txt, lines 2-2 of 2"},
      {"read", {{"path", "calc.py"}, {"last", 1}}, "calc.py, lines 1-1 of 14\n1\tdef clamp"},
      {"read", {{"symbol", "Box.area"}}, "calc.py: Box.area, lines 13-14 of 14"},
      {"search", {{"pattern", "t.o$"}}, "sub/notes.txt:2:two"},
      {"search", {{"pattern", "t"}, {"path", "sub"}, {"glob", "*.txt"}}, "sub/notes.txt:2:two"},
      {"symbols", {{"path", "calc.py"}}, "1\tfunction clamp\n9\tclass Box"},
      {"symbols",
       {{"symbol", "area"}},
       "Defined:\ncalc.py:13:method Box.area\nUsed:\ntest_calc.py:13:self"},
      {"edit",
       {{"path", "sub/notes.txt"}, {"old", "one"}, {"new", "1"}},
       "Edited sub/notes.txt.\n1\t1"},
      {"edit",
       {{"symbol", "Box.area"}, {"new", "def area(self):\n    return 0"}},
       "Edited calc.py.\n13\t"},
      {"edit",
       {{"path", "sub/notes.txt"}, {"edits", {{{"old", "two"}, {"new", "2"}}}}},
       "Edited sub/notes.txt.\n2\t2"},
      {"write", {{"path", "a/b/c.txt"}, {"content", "x\n"}}, "Wrote a/b/c.txt, 1 line."},
      {"write", {{"path", "calc.py"}, {"content", ""}}, "Wrote calc.py, 0 lines."},
      {"bash", {{"command", "echo hi"}, {"timeout", 60}}, "hi\n(exit status 0)"},
      {"bash",
       {{"command", "tty >/dev/null && echo yes"}, {"terminal", true}},
       "yes\n(exit status 0)"},
      {"bash", {{"command", "echo on"}, {"background", true}}, "Started job 1."},
      {"bash", {{"status", 1}, {"timeout", 60}}, "on\n(job 1: exit status 0)"},
      {"bash", {{"stop", 1}}, "[... 3 bytes shown before; "},
      {"test", Json::object(), "The tests fail: exit status 1."},
      {"diff", Json::object(), "diff --git a/a/b/c.txt b/a/b/c.txt\n"},
      {"undo", Json::object(), "Undid the last change to "},
      {"finish", {{"summary", "done"}}, "Finished."},
  };
  return kCalls;
}

// Values of every JSON type, some of them too deep or too large to be written out.
std::vector<Json> values() {
  Json deep = "x";
  for (int k = 0; k < 5000; ++k) deep = Json::array({std::move(deep)});
  return {nullptr,
          true,
          false,
          0,
          -1,
          INT64_MAX,
          UINT64_MAX,
          1.5,
          1e300,
          "",
          "x",
          std::string(1, '\0'),
          Json::array(),
          Json::object(),
          Json::array({1}),
          Json::array({nullptr}),
          Json::array({"a", Json::array()}),
          Json::array({Json::object()}),
          deep,
          std::string(100'000, 'x')};
}

bool fits(const Json& value, const Json& schema) {
  const std::string type = schema.at("type");
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") {
    return value.is_number_integer() &&
           (!value.is_number_unsigned() || value.get<uint64_t>() <= INT64_MAX);
  }
  return value.is_array();  // what is in it is looked at by hand
}

void check_reply(const Bench& bench, const Outcome& outcome) {
  INFO(outcome.text.substr(0, 500));
  CHECK(outcome.text.size() <= bench.output_limit + 1000);
  CHECK(dsv4::tools::valid_utf8(outcome.text) == outcome.text);
  CHECK(outcome.error == outcome.text.starts_with("Error: "));
  CHECK(outcome.text.find("hunter2") == std::string::npos);
}

const std::string kHostileNames[] = {"new\nline.py",
                                     "-rf",
                                     "--help.py",
                                     "bad\xff\xfe.py",
                                     "quote\"'.py",
                                     "tab\t.py",
                                     " lead.py",
                                     "$(touch pwned).py",
                                     "`id`.py",
                                     "*.py",
                                     "[a].py",
                                     "a\\b.py",
                                     "~",
                                     "\u202egnp.py",
                                     "{a,b}.py",
                                     "!x.py",
                                     "#y.py",
                                     "x;y.py",
                                     "\x1b[31m.py",
                                     "%s%n.py",
                                     "CON",
                                     "...",
                                     ".hidden.py"};

}  // namespace

TEST_CASE("every tool and every parameter has a good call, and it does what it says") {
  Bench bench;
  bench.every_parameter = true;
  bench.put("sub/notes.txt", "one\ntwo\n");
  std::set<std::string> tried;
  for (const GoodCall& call : good_calls()) {
    INFO(call.tool << " " << call.arguments.dump());
    const Outcome outcome = bench.call(call.tool, call.arguments);
    INFO(outcome.text);
    CHECK_FALSE(outcome.error);
    CHECK(outcome.text.starts_with(call.reply));
    check_reply(bench, outcome);
    tried.insert(call.tool);
    for (const auto& [name, value] : call.arguments.items()) {
      tried.insert(std::string(call.tool) + " " + name);
    }
  }
  for (const Json& schema : bench.toolbox().schemas()) {
    const std::string tool = schema.at("name");
    INFO(tool);
    CHECK(tried.contains(tool));
    for (const auto& [name, value] : schema.at("parameters").at("properties").items()) {
      INFO(name);
      CHECK((tried.contains(tool + " " + name) || tool + name == "testfailed"));  // see test_report
    }
  }
}

TEST_CASE("every argument of another type, unknown or missing is told") {
  Bench bench;
  bench.every_parameter = true;
  bench.toolbox();
  const std::string before = tree_state(bench.root());
  for (const Json& schema : bench.toolbox().schemas()) {
    const std::string tool = schema.at("name");
    const Json properties = schema.at("parameters").at("properties");
    for (const Json& value : values()) {
      if (!value.is_object()) {
        CHECK(bench.refused(tool, value)
                  .starts_with("Error: " + tool + ": the arguments must be an object, got "));
      }
      CHECK(bench.refused(tool, {{"surely not", value}})
                .starts_with("Error: " + tool + ": there is no argument surely not"));
      for (const auto& [name, property] : properties.items()) {
        if (fits(value, property)) continue;
        INFO(tool << " " << name);
        const Outcome outcome = bench.call(tool, {{name, value}});
        CHECK(outcome.text.starts_with("Error: " + tool + ": argument " + name + " must be "));
        check_reply(bench, outcome);
      }
    }
    if (!schema.at("parameters").at("required").empty()) {
      CHECK(bench.refused(tool, Json::object()).starts_with("Error: " + tool + ": give "));
    }
  }
  CHECK(tree_state(bench.root()) == before);
}

TEST_CASE("inputs of any size get a reply of bounded size") {
  Bench bench;
  bench.every_parameter = true;
  const std::string texts[] = {std::string(4 << 20, 'x'),  std::string(1 << 20, '\n'),
                               std::string(300'000, '('),  std::string(1 << 20, '\xff'),
                               std::string(200'000, '\0'), std::string(100'000, '*')};
  for (const Json& schema : bench.toolbox().schemas()) {
    const std::string tool = schema.at("name");
    for (const std::string& text : texts) {
      Json all = Json::object();
      for (const auto& [name, property] : schema.at("parameters").at("properties").items()) {
        Json one = Json::object();
        if (property.at("type") == "string") {
          one[name] = text;
        } else if (name == "items") {
          one[name] = Json::array({text, text});
        } else if (name == "edits") {
          one[name] = Json::array({{{"old", text}, {"new", text}, {"path", "calc.py"}}});
        } else if (property.at("type") == "integer") {
          one[name] = INT64_MAX;
        } else {
          continue;
        }
        INFO(tool << " " << name);
        check_reply(bench, bench.call(tool, one));
        all.update(one);
      }
      all.erase("stop");
      all.erase("status");
      INFO(tool << " with all arguments");
      check_reply(bench, bench.call(tool, all));
    }
  }
  CHECK(bench.done("write", {{"path", "big.txt"}, {"content", texts[0]}}) ==
        "Wrote big.txt, 1 line.");
  for (const char* tool : {"read", "diff"}) {
    check_reply(bench, bench.call(tool, tool == std::string("read") ? Json{{"path", "big.txt"}}
                                                                    : Json::object()));
  }
}

TEST_CASE("files of any name are written, read, found, edited and taken back") {
  for (const std::string& name : kHostileNames) {
    INFO(name);
    Bench bench;
    bench.toolbox();
    const std::string before = tree_state(bench.root());
    const std::string path = "d/" + name;
    CHECK(bench.done("write", {{"path", path}, {"content", "def f():\n    return 1\n"}})
              .starts_with("Wrote "));
    CHECK(
        bench.done("read", {{"path", path}}).ends_with(", 2 lines\n1\tdef f():\n2\t    return 1"));
    bench.done("edit", {{"path", path}, {"old", "return 1"}, {"new", "return 2"}});
    CHECK(bench.bytes(path) == "def f():\n    return 2\n");
    const std::string found = bench.done("search", {{"pattern", "return 2"}, {"path", path}});
    CHECK(found.ends_with(":2:    return 2"));
    CHECK(found.find('\n') == std::string::npos);
    const std::string listed = bench.done("list", {{"path", "d"}});
    CHECK(listed.find('\n') == std::string::npos);
    for (const std::string& text : {found, listed}) {
      CHECK(text.find('\033') == std::string::npos);
    }
    if (name.ends_with(".py")) CHECK(bench.done("symbols", {{"path", path}}) == "1\tfunction f");
    CHECK(bench.done("diff", Json::object()).find("+    return 2") != std::string::npos);
    bench.done("undo", Json::object());
    CHECK(bench.bytes(path) == "def f():\n    return 1\n");
    bench.done("undo", Json::object());
    CHECK(tree_state(bench.root()) == before);
  }
}

TEST_CASE("paths of 4 KB work as far as the system has them, and longer ones are refused") {
  Bench bench;
  bench.toolbox();
  const std::string before = tree_state(bench.root());
  std::string path;
  while (path.size() < 3900) path += std::string(40, 'd') + "/";
  path += "file.py";
  bench.done("write", {{"path", path}, {"content", "x = 1\n"}});
  CHECK(bench.done("read", {{"path", path}}).ends_with(", 1 line\n1\tx = 1"));
  bench.done("edit", {{"path", path}, {"old", "x = 1"}, {"new", "x = 2"}});
  CHECK(bench.done("search", {{"pattern", "x = 2"}}).ends_with("...\":1:x = 2"));
  CHECK(bench.toolbox().diff().find("+x = 2") != std::string::npos);
  bench.done("undo", Json::object());
  bench.done("undo", Json::object());
  CHECK(tree_state(bench.root()) == before);
  const std::pair<const char*, Json> calls[] = {{"read", Json::object()},
                                                {"list", Json::object()},
                                                {"symbols", Json::object()},
                                                {"search", {{"pattern", "x"}}},
                                                {"edit", {{"old", "x"}, {"new", "y"}}},
                                                {"write", {{"content", "x"}}}};
  for (const std::string& bad :
       {std::string(4096, 'a'), std::string(300, 'b'), "x/" + std::string(5 << 20, 'c')}) {
    for (auto [tool, arguments] : calls) {
      INFO(tool << " " << bad.size());
      arguments["path"] = bad;
      CHECK(bench.refused(tool, arguments).starts_with("Error: the path is too long"));
    }
  }
  CHECK(tree_state(bench.root()) == before);
}

// Nothing where something is there: a tool may have kept the folder, and with it a pipe or a link,
// from being removed.
static void write_new(const fs::path& file, std::string_view text) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return;
  std::ignore = ::write(fd, text.data(), text.size());
  ::close(fd);
}

TEST_CASE("whatever changes on disk meanwhile, tools answer and stay inside") {
  Bench bench;
  bench.every_parameter = true;
  bench.put("../secret/key.py", "def hunter2():\n    pass\n");
  bench.put("d/f.py", "def f():\n    return 1\n");
  bench.toolbox();
  const std::string outside = tree_state(bench.outside() / "secret");
  std::atomic<bool> done = false;
  // A name that is a file, a directory, a link out, a pipe, or nothing, from moment to moment. Each
  // begins without the folder, so that nothing here is written through a link.
  std::thread other([&] {
    const fs::path d = bench.root() / "d";
    const fs::path f = d / "f.py";
    std::error_code ignored;
    for (int k = 0; !done; ++k) {
      fs::remove_all(d, ignored);
      if (k % 6 == 0) {
        fs::create_directory_symlink("../secret", d, ignored);
        continue;
      }
      fs::create_directory(d, ignored);
      if (k % 6 == 1) fs::create_symlink("../../secret/key.py", f, ignored);
      if (k % 6 == 2) fs::create_directory(f, ignored);
      if (k % 6 == 3) ::mkfifo(f.c_str(), 0600);
      if (k % 6 > 3) write_new(f, k % 2 == 0 ? "def f():\n    return 1\n" : "y = (");
    }
  });
  const std::pair<const char*, Json> calls[] = {
      {"list", {{"path", "d"}}},
      {"read", {{"path", "d/f.py"}}},
      {"read", {{"symbol", "f"}}},
      {"read", {{"path", "d/key.py"}}},
      {"search", {{"pattern", "def .*"}}},
      {"search", {{"pattern", "def"}, {"path", "d/f.py"}}},
      {"symbols", {{"path", "d/f.py"}}},
      {"symbols", {{"symbol", "f"}}},
      {"edit", {{"path", "d/f.py"}, {"old", "return 1"}, {"new", "return 2"}}},
      {"edit", {{"edits", {{{"symbol", "f"}, {"new", "def f(): pass"}}}}}},
      {"write", {{"path", "d/f.py"}, {"content", "x = 1\n"}}},
      {"write", {{"path", "d/key.py"}, {"content", "x = 1\n"}}},
      {"diff", Json::object()},
      {"undo", Json::object()}};
  for (int round = 0; round < 150; ++round) {
    for (const auto& [tool, arguments] : calls) {
      INFO(tool << " " << arguments.dump());
      check_reply(bench, bench.call(tool, arguments));
    }
  }
  done = true;
  other.join();
  CHECK(tree_state(bench.outside() / "secret") == outside);
}
