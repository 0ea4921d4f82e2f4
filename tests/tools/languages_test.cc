#include <random>

#include "tests/catch.h"
#include "tests/tools/fixture.h"
#include "tools/syntax.h"

using dsv4::tools::Definition;
using dsv4::tools::Language;
using dsv4::tools::Syntax;
using dsv4::tools::testing::Bench;
using Json = nlohmann::ordered_json;

namespace {

// A file in one language, its outline, and where one of its names is used.
struct Sample {
  const char* path;
  const char* text;
  const char* outline;
  const char* symbol;
  const char* uses;
};

const std::vector<Sample>& samples() {
  static const std::vector<Sample> kSamples{
      {"a.c",
       "struct point { int x; };\n\nint area(struct point p) { return p.x; }\nint twice(void) "
       "{ return 2 * area(origin); }  // area\n",
       "1\tstruct point\n3\tfunction area\n4\tfunction twice", "area",
       "Defined:\na.c:3:function area\nUsed:\na.c:4:int twice(void) { return 2 * area(origin); }  "
       "// "
       "area"},
      {"a.cc",
       "namespace n {\nclass Box {\n public:\n  int side() { return 1; }\n};\n}\nint x = "
       "n::Box().side();\n",
       "2\tclass Box\n4\tmethod Box::side", "side",
       "Defined:\na.cc:4:method Box::side\nUsed:\na.cc:7:int x = n::Box().side();"},
      {"a.py",
       "class Box:\n    def side(self):\n        return 1\n\n\nprint(Box().side(), 'side')\n",
       "1\tclass Box\n2\tmethod Box.side", "Box.side",
       "Defined:\na.py:2:method Box.side\nUsed:\na.py:6:print(Box().side(), 'side')"},
      {"a.js",
       "export class Stack {\n  push(x) { this.items = [x]; }\n}\nconst double = (x) => x * 2;\n"
       "export function run() {\n  return double(`${double(1)}`);\n}\n",
       "1\tclass Stack\n2\tmethod Stack.push\n4\tfunction double\n5\tfunction run", "double",
       "Defined:\na.js:4:function double\nUsed:\na.js:6:return double(`${double(1)}`);"},
      {"a.ts",
       "interface Shape {\n  area(): number\n}\nenum Kind { Round }\ntype Id = string\nexport "
       "class Box<T> implements Shape {\n  constructor(private side: T) {}\n  area(): number {\n"
       "    return 1\n  }\n}\nconst make = (x?: number): Shape => new Box(x ? x : 2)\n",
       "1\tinterface Shape\n4\tenum Kind\n5\ttype Id\n6\tclass Box\n7\tmethod "
       "Box.constructor\n8\tmethod "
       "Box.area\n12\tfunction make",
       "Box",
       "Defined:\na.ts:6:class Box\nUsed:\na.ts:12:const make = (x?: number): Shape => new "
       "Box(x ? x : 2)"},
      {"a.tsx",
       "export function View(p: { n: number }) {\n  return <b title=\"View\">{p.n}\n text</b>;\n}\n"
       "const all = () => <View n={1} />;\n",
       "1\tfunction View\n5\tfunction all", "View",
       "Defined:\na.tsx:1:function View\nUsed:\na.tsx:5:const all = () => <View n={1} />;"},
      {"a.go",
       "package a\n\ntype Stack struct{ items []int }\n\nfunc (s *Stack) Push(x int) {\n\ts.items "
       "= "
       "append(s.items, x)\n}\n\nfunc Run() {\n\tnew(Stack).Push(1)\n}\n",
       "3\tstruct Stack\n5\tmethod Stack.Push\n9\tfunction Run", "Stack.Push",
       "Defined:\na.go:5:method Stack.Push\nUsed:\na.go:10:new(Stack).Push(1)"},
      {"a.rs",
       "mod m {\n    pub struct Stack<T> { items: Vec<T> }\n    impl<T> Stack<T> {\n        pub fn "
       "push(&mut self, x: T) { self.items.push(x); }\n    }\n    pub trait Named { fn name(&self) "
       "-> "
       "String; }\n}\nenum Kind { A }\nfn main() { let x = 'a'; }\n",
       "2\tstruct Stack\n4\tmethod Stack::push\n6\ttrait Named\n6\tmethod Named::name\n8\tenum "
       "Kind\n9\t"
       "function main",
       "Kind", "Defined:\na.rs:8:enum Kind\nUsed nowhere."},
      {"A.java",
       "package a;\n\npublic class A {\n  private int side;\n  A(int side) { this.side = side; }\n "
       " int "
       "area() { return side * side; }\n  interface Shape { int area(); }\n}\n",
       "3\tclass A\n5\tmethod A.A\n6\tmethod A.area\n7\tinterface A.Shape\n7\tmethod A.Shape.area",
       "A.Shape", "Defined:\nA.java:7:interface A.Shape\nUsed nowhere."},
      {"a.sh", "greet() {\n  echo \"hi $1\"\n}\nfunction leave {\n  exit 0\n}\ngreet you | cat\n",
       "1\tfunction greet\n4\tfunction leave", "greet",
       "Defined:\na.sh:1:function greet\nUsed:\na.sh:7:greet you | cat"},
      {"a.json",
       "{\n  \"name\": \"x\",\n  \"scripts\": { \"test\": \"run\" },\n  \"list\": [{ \"deep\": 1 "
       "}]\n}\n",
       "2\tkey name\n3\tkey scripts\n3\tkey scripts.test\n4\tkey list\n4\tkey list.deep",
       "scripts.test", "Defined:\na.json:3:key scripts.test\nUsed nowhere."},
      {"a.yaml",
       "name: ci\non:\n  push:\n    branches: [main]\njobs:\n  build:\n    steps:\n      - run: "
       "make\n",
       "1\tkey name\n2\tkey on\n3\tkey on.push\n4\tkey on.push.branches\n5\tkey jobs\n6\tkey "
       "jobs.build\n7\tkey "
       "jobs.build.steps",
       "jobs.build", "Defined:\na.yaml:6:key jobs.build\nUsed nowhere."},
      {"CMakeLists.txt",
       "function(add_part name)\n  add_library(${name} STATIC a.cc)\nendfunction()\n"
       "add_part(core)\nadd_executable(tool main.cc)\ntarget_link_libraries(tool core)\n",
       "1\tfunction add_part\n5\ttarget tool", "add_part",
       "Defined:\nCMakeLists.txt:1:function add_part\nUsed:\nCMakeLists.txt:4:add_part(core)"},
  };
  return kSamples;
}

std::string told(const Syntax& syntax) {
  std::string text = std::to_string(syntax.errors().count);
  for (const Definition& one : syntax.definitions()) {
    text += "\n" + one.kind + " " + one.full + " " + std::to_string(one.begin) + "-" +
            std::to_string(one.end) + " " + std::to_string(one.first_line) + "-" +
            std::to_string(one.last_line);
  }
  return text;
}

}  // namespace

TEST_CASE(
    "symbols outlines every language, finds definitions and uses, and no error in good text") {
  for (const Sample& sample : samples()) {
    INFO(sample.path);
    Bench bench;
    bench.put(sample.path, sample.text);
    CHECK(bench.done("symbols", {{"path", sample.path}}) == sample.outline);
    CHECK(bench.done("symbols", {{"path", sample.path}, {"symbol", sample.symbol}}) == sample.uses);
    CHECK(dsv4::tools::syntax_errors(dsv4::tools::language_of(sample.path), sample.text).count ==
          0);
  }
}

TEST_CASE("a syntax error that an edit brings in is told in every language") {
  for (const Sample& sample : samples()) {
    INFO(sample.path);
    Bench bench;
    bench.put(sample.path, sample.text);
    const std::string first(sample.text, std::string_view(sample.text).find('\n'));
    const std::string reply = bench.done(
        "edit", {{"path", sample.path}, {"old", first}, {"new", first + "\n)]} \"%( {[\n"}});
    CHECK(reply.find("\nWarning: " + std::string(sample.path) + " no longer parses at line ") !=
          std::string::npos);
  }
}

TEST_CASE("symbols looks for definitions and uses in all files") {
  Bench bench;
  bench.put("lib.js", "import { clamp } from './clamp';\nclamp(1);\n");
  bench.put("data.json", "{ \"clamp\": 1 }\n");
  CHECK(bench.done("symbols", {{"symbol", "clamp"}}) ==
        "Defined:\ncalc.py:1:function clamp\nUsed:\nlib.js:1:import { clamp } from './clamp';\n"
        "lib.js:2:clamp(1);\ntest_calc.py:2:from calc import Box, clamp\n"
        "test_calc.py:7:self.assertEqual(clamp(5, 0, 3), 3)\n"
        "test_calc.py:10:self.assertEqual(clamp(2, 0, 3), 2)");
  CHECK(bench.refused("symbols", {{"symbol", "nothing_like_it"}}) ==
        "Error: nothing is called nothing_like_it; search finds text.");
  CHECK(bench.refused("symbols", Json::object()) == "Error: symbols: give path.");
}

TEST_CASE("a text that changes is understood as if it was read anew") {
  std::mt19937 random(9);
  for (const Sample& sample : samples()) {
    INFO(sample.path);
    const Language language = dsv4::tools::language_of(sample.path);
    std::string text = std::string(sample.text) + sample.text;
    Syntax syntax(language, text);
    for (int step = 0; step < 60; ++step) {
      const size_t at = random() % (text.size() + 1);
      const std::string before = text;
      if (random() % 2 == 0) {
        text.erase(at, random() % 12);
      } else {
        const size_t from = random() % text.size();
        text.insert(at, text.substr(from, random() % 25));
      }
      syntax.update(text);
      INFO("from\n" << before << "\nto\n" << text);
      REQUIRE(told(syntax) == told(Syntax(language, text)));
      if (syntax.errors().count > 0 && random() % 2 == 0) {  // mostly from good texts to others
        text = std::string(sample.text) + sample.text;
        syntax.update(text);
      }
    }
  }
}
