#include <sys/stat.h>

#include "tests/catch.h"
#include "tests/tools/fixture.h"

using dsv4::tools::testing::Bench;
using Json = nlohmann::ordered_json;

namespace {

// One edit of one file, and what comes of it.
struct Case {
  const char* what;
  const char* path;
  const char* before;
  Json arguments;  // path is added
  const char* after;
  const char* reply;
};

const std::vector<Case>& good_edits() {
  static const std::vector<Case> kCases{
      {"a part of a line",
       "a.py",
       "x = 1\ny = 2\n",
       {{"old", "= 2"}, {"new", "= 3"}},
       "x = 1\ny = 3\n",
       "Edited a.py.\n2\ty = 3"},
      {"a whole line wins over parts of others",
       "a.py",
       "f(x)\nf(x) + f(x)\n",
       {{"old", "f(x)"}, {"new", "g(x)"}},
       "g(x)\nf(x) + f(x)\n",
       "Edited a.py.\n1\tg(x)"},
      {"one line for several, given without indentation",
       "a.py",
       "def f(x):\n    return x\n",
       {{"old", "return x"}, {"new", "if x:\n    return 1\nreturn x"}},
       "def f(x):\n    if x:\n        return 1\n    return x\n",
       "Edited a.py.\n2\t    if x:\n3\t        return 1\n4\t    return x"},
      {"several lines, given without indentation",
       "a.py",
       "def f(x):\n    if x:\n        y()\n    return x\n",
       {{"old", "if x:\n    y()"}, {"new", "if not x:\n    z()\n    y()"}},
       "def f(x):\n    if not x:\n        z()\n        y()\n    return x\n",
       "Edited a.py.\n2\t    if not x:\n3\t        z()\n4\t        y()"},
      {"only the first line without indentation",
       "a.py",
       "def f(x):\n    if x:\n        y()\n    return x\n",
       {{"old", "if x:\n        y()"}, {"new", "if x > 1:\n        z()"}},
       "def f(x):\n    if x > 1:\n        z()\n    return x\n",
       "Edited a.py.\n2\t    if x > 1:\n3\t        z()"},
      {"exact lines with their indentation",
       "a.py",
       "def f(x):\n    return x\n",
       {{"old", "    return x\n"}, {"new", "    x += 1\n    return x\n"}},
       "def f(x):\n    x += 1\n    return x\n",
       "Edited a.py.\n2\t    x += 1\n3\t    return x"},
      {"another indentation than the file's",
       "a.py",
       "class A:\n    def f(self):\n        g()\n",
       {{"old", "  def f(self):\n      g()"}, {"new", "  def f(self):\n      h()"}},
       "class A:\n    def f(self):\n        h()\n",
       "Edited a.py.\n2\t    def f(self):\n3\t        h()\nNote: old differed from the file in "
       "indentation; new was given the file's."},
      {"tabs",
       "a.cc",
       "int f() {\n\treturn 1;\n}\n",
       {{"old", "return 1;"}, {"new", "g();\nreturn 2;"}},
       "int f() {\n\tg();\n\treturn 2;\n}\n",
       "Edited a.cc.\n2\t\tg();\n3\t\treturn 2;"},
      {"trailing spaces",
       "a.py",
       "x = 1  \ny = 2\n",
       {{"old", "x = 1\ny = 2"}, {"new", "x = 2\ny = 2"}},
       "x = 2\ny = 2\n",
       "Edited a.py.\n1\tx = 2\n2\ty = 2\nNote: old differed from the file in trailing spaces."},
      {"typographic quotes",
       "a.py",
       "print('a')\n",
       {{"old", "print(\u2018a\u2019)"}, {"new", "print('b')"}},
       "print('b')\n",
       "Edited a.py.\n1\tprint('b')\nNote: old differed from the file in punctuation such as "
       "quotes "
       "and dashes."},
      {"lines taken out",
       "a.py",
       "a = 1\nb = 2\nc = 3\n",
       {{"old", "b = 2"}, {"new", ""}},
       "a = 1\nc = 3\n",
       "Edited a.py."},
      {"Windows line ends",
       "a.py",
       "a = 1\r\nb = 2\r\n",
       {{"old", "b = 2"}, {"new", "b = 3\nc = 4"}},
       "a = 1\r\nb = 3\r\nc = 4\r\n",
       "Edited a.py.\n2\tb = 3\n3\tc = 4"},
      {"old with Windows line ends, a file without",
       "a.py",
       "a = 1\nb = 2\n",
       {{"old", "a = 1\r\nb = 2\r\n"}, {"new", "a = 2\r\nb = 2\r\n"}},
       "a = 2\nb = 2\n",
       "Edited a.py.\n1\ta = 2\n2\tb = 2"},
      {"a byte order mark",
       "a.py",
       "\xEF\xBB\xBFx = 1\n",
       {{"old", "x = 1"}, {"new", "x = 2"}},
       "\xEF\xBB\xBFx = 2\n",
       "Edited a.py.\n1\tx = 2"},
      {"no line end at the file's end",
       "a.py",
       "a = 1\nb = 2",
       {{"old", "b = 2"}, {"new", "b = 3"}},
       "a = 1\nb = 3",
       "Edited a.py.\n2\tb = 3"},
      {"bytes that are no UTF-8 stay",
       "a.py",
       "# \xff\nx = 1\n",
       {{"old", "x = 1"}, {"new", "x = 2"}},
       "# \xff\nx = 2\n",
       "Edited a.py.\n2\tx = 2"},
      {"a whole method, given without indentation",
       "a.py",
       "class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2\n",
       {{"symbol", "A.f"}, {"new", "def f(self):\n    return 3\n"}},
       "class A:\n    def f(self):\n        return 3\n\n    def g(self):\n        return 2\n",
       "Edited a.py.\n2\t    def f(self):\n3\t        return 3"},
      {"a whole decorated function",
       "a.py",
       "@cache\ndef f():\n    return 1\n\nx = f()\n",
       {{"symbol", "f"}, {"new", "def f():\n    return 2"}},
       "def f():\n    return 2\n\nx = f()\n",
       "Edited a.py.\n1\tdef f():\n2\t    return 2"},
      {"a whole template",
       "a.cc",
       "template <class T>\nT f(T x) {\n  return x;\n}\n",
       {{"symbol", "f"}, {"new", "int f(int x) {\n  return x;\n}"}},
       "int f(int x) {\n  return x;\n}\n",
       "Edited a.cc.\n1\tint f(int x) {\n2\t  return x;\n3\t}"},
      {"a struct keeps its semicolon",
       "a.cc",
       "struct A {\n  int x;\n};\nint y;\n",
       {{"symbol", "A"}, {"new", "struct A {\n  long x;\n}"}},
       "struct A {\n  long x;\n};\nint y;\n",
       "Edited a.cc.\n1\tstruct A {\n2\t  long x;\n3\t};"},
      {"only inside the symbol",
       "a.py",
       "def f():\n    return 1\n\ndef g():\n    return 1\n",
       {{"symbol", "g"}, {"old", "return 1"}, {"new", "return 2"}},
       "def f():\n    return 1\n\ndef g():\n    return 2\n",
       "Edited a.py.\n5\t    return 2"},
      {"a syntax error it brings in is told",
       "a.py",
       "x = (1)\ny = 2\n",
       {{"old", "x = (1)"}, {"new", "x = (1"}},
       "x = (1\ny = 2\n",
       "Edited a.py.\n1\tx = (1\nWarning: a.py no longer parses at line 1."},
      {"a syntax error that was there is not",
       "a.py",
       "x = (1\ny = 2\n",
       {{"old", "y = 2"}, {"new", "y = 3"}},
       "x = (1\ny = 3\n",
       "Edited a.py.\n2\ty = 3"},
  };
  return kCases;
}

const std::vector<Case>& refused_edits() {
  static const std::vector<Case> kCases{
      {"no change",
       "a.py",
       "x = 1\n",
       {{"old", "x = 1"}, {"new", "x = 1"}},
       "x = 1\n",
       "Error: The edit changes nothing: old and new are the same."},
      {"a miss",
       "a.py",
       "def f(x):\n    return x + 1\n",
       {{"old", "return x + 2"}, {"new", "y"}},
       "def f(x):\n    return x + 1\n",
       "Error: old was not found in a.py. The closest lines are:\n2\t    return x + 1"},
      {"a miss in a symbol",
       "a.py",
       "def f(x):\n    return x\n\ny = 1\n",
       {{"symbol", "f"}, {"old", "y = 1"}, {"new", "y"}},
       "def f(x):\n    return x\n\ny = 1\n",
       "Error: old was not found in a.py: f. Use read to see what is there."},
      {"two places",
       "a.py",
       "x = 1\ny = 2\nx = 1\n",
       {{"old", "x = 1"}, {"new", "x = 2"}},
       "x = 1\ny = 2\nx = 1\n",
       "Error: old matches 2 places in a.py (lines 1, 3): add a line around it or give symbol."},
      {"neither old nor symbol",
       "a.py",
       "x = 1\n",
       {{"new", "x = 2"}},
       "x = 1\n",
       "Error: edit: give old, or symbol to replace its whole definition."},
      {"an unknown symbol",
       "a.py",
       "x = 1\n",
       {{"symbol", "f"}, {"new", "x = 2"}},
       "x = 1\n",
       "Error: no function, method or class f in a.py; symbols lists the names of a file, search "
       "finds text."},
      {"two definitions",
       "a.cc",
       "int f(int x) { return x; }\nint f(long x) { return 2; }\n",
       {{"symbol", "f"}, {"new", ""}},
       "int f(int x) { return x; }\nint f(long x) { return 2; }\n",
       "Error: f is ambiguous; give path, or Class.method, or work by lines:\na.cc: f (line 1)\n"
       "a.cc: f (line 2)"},
  };
  return kCases;
}

}  // namespace

TEST_CASE("an edit changes what it names and shows the new lines") {
  for (const Case& one : good_edits()) {
    INFO(one.what);
    Bench bench;
    bench.put(one.path, one.before);
    Json arguments = one.arguments;
    arguments["path"] = one.path;
    CHECK(bench.done("edit", arguments) == one.reply);
    CHECK(bench.bytes(one.path) == one.after);
    bench.done("undo", Json::object());
    CHECK(bench.bytes(one.path) == one.before);
  }
}

TEST_CASE("an edit that cannot be done leaves the file and says what to do") {
  for (const Case& one : refused_edits()) {
    INFO(one.what);
    Bench bench;
    bench.put(one.path, one.before);
    Json arguments = one.arguments;
    arguments["path"] = one.path;
    CHECK(bench.refused("edit", arguments) == one.reply);
    CHECK(bench.bytes(one.path) == one.after);
  }
}

TEST_CASE(
    "several edits of one call come one upon the other, are shown, and are one step of undo") {
  Bench bench;
  bench.put("a.py", "x = 1\ny = 2\n");
  bench.put("b.py", "def f():\r\n    return (x)\r\n");
  const Json edits = {{{"path", "a.py"}, {"old", "x = 1"}, {"new", "x = (2"}},
                      {{"path", "a.py"}, {"old", "x = (2"}, {"new", "x = (2)\nz = 3"}},
                      {{"symbol", "f"}, {"old", "return (x)"}, {"new", "return (x"}}};
  CHECK(bench.done("edit", {{"edits", edits}}) ==
        "Edited a.py.\n1\tx = (2\nEdited a.py.\n1\tx = (2)\n2\tz = 3\nEdited b.py.\n"
        "2\t    return (x\nWarning: b.py no longer parses at line 2.");
  CHECK(bench.bytes("a.py") == "x = (2)\nz = 3\ny = 2\n");
  CHECK(bench.bytes("b.py") == "def f():\r\n    return (x\r\n");
  CHECK(bench.done("undo", Json::object()) == "Undid the last change to a.py, b.py.");
  CHECK(bench.bytes("a.py") == "x = 1\ny = 2\n");
  CHECK(bench.bytes("b.py") == "def f():\r\n    return (x)\r\n");
  CHECK(bench.done("edit", {{"path", "a.py"}, {"edits", {{{"old", "y"}, {"new", "w"}}}}}) ==
        "Edited a.py.\n2\tw = 2");
}

TEST_CASE("of several edits all are made, or none") {
  Bench bench;
  bench.put("a.py", "x = 1\ny = 2\n");
  const Json good = {{"old", "x = 1"}, {"new", "x = 2"}};
  CHECK(bench.refused(
            "edit", {{"path", "a.py"}, {"edits", {good, {{"old", "y = 3"}, {"new", "y = 4"}}}}}) ==
        "Error: edit 2 of 2: old was not found in a.py. The closest lines are:\n1\tx = 2\n2\ty = 2 "
        "Nothing was changed.");
  CHECK(bench.bytes("a.py") == "x = 1\ny = 2\n");
  // A directory that holds no new file stops the second write; the first is taken back.
  bench.put("locked/b.py", "x = 1\n");
  bench.toolbox();
  std::filesystem::remove(bench.root() / "a.py");
  std::filesystem::create_symlink("locked/b.py", bench.root() / "link.py");
  const std::string before = dsv4::tools::testing::tree_state(bench.root());
  CHECK(bench
            .refused("edit", {{"edits",
                               {{{"path", "locked/b.py"}, {"old", "x = 1"}, {"new", "x = 2"}},
                                {{"path", "link.py"}, {"old", "x = 1"}, {"new", "x = 3"}}}}})
            .starts_with("Error: link.py is a link"));
  CHECK(dsv4::tools::testing::tree_state(bench.root()) == before);
}

TEST_CASE("a list of edits that is none is told what was expected") {
  Bench bench;
  const std::pair<Json, const char*> cases[] = {
      {{{"edits", Json::array()}},
       "Error: edit: edits holds 0 replacements; give between 1 and 100."},
      {{{"edits", "x"}}, "Error: edit: argument edits must be an array of objects, got \"x\"."},
      {{{"edits", {1}}}, "Error: edit: argument edits must be an array of objects, got [1]."},
      {{{"edits", {{{"old", "x"}}}}}, "Error: edit: edits 1: give new."},
      {{{"edits", {{{"new", 1}}}}}, "Error: edit: edits 1: argument new must be a string, got 1."},
      {{{"edits", {{{"new", "x"}, {"to", "y"}}}}},
       "Error: edit: edits 1: there is no argument to; the arguments are path, symbol, old, new."},
      {{{"edits", {{{"old", "x"}, {"new", "y"}}}}, {"new", "x"}},
       "Error: edit: give either edits, or old and new."},
      {{{"edits", {{{"old", "x"}, {"new", "y"}}}}}, "Error: edit: give path or symbol."}};
  for (const auto& [arguments, reply] : cases) {
    INFO(arguments.dump());
    CHECK(bench.refused("edit", arguments) == reply);
  }
}

TEST_CASE("an edit of what stands everywhere in a large file is refused at once") {
  Bench bench;
  bench.put("data.json", std::string(8 << 20, '0'));
  CHECK(bench.refused("edit", {{"path", "data.json"}, {"old", "0"}, {"new", "1"}}) ==
        "Error: old matches 200 or more places in data.json (lines 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, "
        "...): add a line around it or give symbol.");
}

TEST_CASE("a symbol is found without a path, in project files before tests") {
  Bench bench;
  bench.put("test_helper.py", "def clamp(x):\n    return x\n");
  CHECK(bench.done("edit", {{"symbol", "area"}, {"old", "self.side * self.side"}, {"new", "0"}}) ==
        "Edited calc.py.\n14\t        return 0");
  CHECK(bench.done("read", {{"symbol", "clamp"}}).starts_with("calc.py: clamp, lines 1-6 of 14"));
  bench.put("other.py", "def clamp(x):\n    return x\n");
  CHECK(bench.refused("read", {{"symbol", "clamp"}}) ==
        "Error: clamp is ambiguous; give path, or Class.method, or work by lines:\n"
        "calc.py: clamp (line 1)\nother.py: clamp (line 1)");
}

TEST_CASE("an edit keeps the file's mode and never writes through a link") {
  Bench bench;
  bench.put("run.sh", "echo a\n");
  REQUIRE(::chmod((bench.root() / "run.sh").c_str(), 0750) == 0);
  std::filesystem::create_symlink("calc.py", bench.root() / "link.py");
  bench.done("edit", {{"path", "run.sh"}, {"old", "echo a"}, {"new", "echo b"}});
  struct stat info {};
  REQUIRE(::stat((bench.root() / "run.sh").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 0750);
  CHECK(bench.refused("edit", {{"path", "link.py"}, {"old", "class Box:"}, {"new", "class B:"}}) ==
        "Error: link.py is a link to calc.py; change the file it points to.");
  CHECK(bench.done("read", {{"path", "link.py"}, {"first", 1}, {"last", 1}}) ==
        "link.py, lines 1-1 of 14\n1\tdef clamp(x, low, high):");
}

TEST_CASE("a long replacement shows its first twenty lines") {
  Bench bench;
  std::string lines;
  for (int k = 1; k <= 30; ++k) lines += "x" + std::to_string(k) + " = 0\n";
  bench.put("a.txt", "old\n");
  const std::string reply = bench.done("edit", {{"path", "a.txt"}, {"old", "old"}, {"new", lines}});
  CHECK(reply.find("20\tx20 = 0\n[... 10 more lines ...]") != std::string::npos);
}
