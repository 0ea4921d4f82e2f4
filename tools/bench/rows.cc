#include "tools/bench/rows.h"

#include <stdlib.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "sandbox/sandbox.h"
#include "tools/toolbox.h"

namespace dsv4::tools::bench {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 7;

double milliseconds(const std::function<void()>& work) {
  const Clock::time_point begin = Clock::now();
  work();
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

// Of this process, which other work on the machine does not lengthen.
double processor_milliseconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double rounded(double value) { return static_cast<double>(static_cast<long>(value * 100)) / 100; }

std::string word(std::mt19937& random) {
  static constexpr std::array kWords{"buffer", "device", "driver",   "index", "lock",  "node",
                                     "page",   "queue",  "register", "ring",  "state", "table",
                                     "update", "vector", "wait",     "write", "error", "handle"};
  return kWords[random() % kWords.size()];
}

// About 5 KB of lines that look like code. Every 5000th file has a word that no other has.
std::string source(std::mt19937& random, size_t number) {
  const size_t wanted = 500 + random() % 9000;
  std::string text = "/* file " + std::to_string(number) + " */\n";
  while (text.size() < wanted) {
    const std::string a = word(random);
    const std::string b = word(random);
    text += "static int " + a + "_" + b + "(struct " + b + " *" + a + ", size_t count)\n{\n";
    for (size_t k = random() % 6; k-- > 0;) {
      text += "\tif (" + a + "->" + word(random) + " > " + std::to_string(random() % 4096) +
              ")\n\t\treturn " + b + "_" + word(random) + "(" + a + ", count);\n";
    }
    text += "\treturn 0;\n}\n\n";
  }
  if (number % 5000 == 7) text += "int needle_in_a_haystack_" + std::to_string(number) + ";\n";
  if (number % 700 == 3) text += "#define LIMIT_OF_NODE 0x" + std::to_string(number) + "u\n";
  return text;
}

void put(const fs::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

std::string output_of(const std::string& command) {
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (!pipe) throw std::runtime_error("cannot run " + command);
  std::string text;
  std::array<char, 65536> buffer;
  while (const size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    text.append(buffer.data(), got);
  }
  ::pclose(pipe);
  return text;
}

std::vector<std::string> sorted_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::unique_ptr<sandbox::Sandbox> open_box(const fs::path& root) {
  sandbox::Policy policy = sandbox::task_policy(root);
  policy.enforce = false;
  return std::make_unique<sandbox::Sandbox>(policy);
}

Toolbox toolbox_on(const GeneratedTree& tree, const sandbox::Sandbox& box) {
  WorkspaceOptions options;
  options.root = tree.root();
  options.metadata = tree.root() / ".git";
  options.state_dir = tree.state();
  options.test_command = "true";
  options.box = &box;
  options.output_limit = 1 << 20;
  return Toolbox(std::move(options));
}

std::string called(Toolbox& toolbox, const std::string& tool, const Json& arguments) {
  Outcome outcome = toolbox.call(tool, arguments);
  if (outcome.error) throw std::runtime_error(tool + ": " + outcome.text);
  return std::move(outcome.text);
}

}  // namespace

GeneratedTree::GeneratedTree(size_t files) {
  std::string name = (fs::temp_directory_path() / "dsv4-bench-XXXXXX").string();
  if (!::mkdtemp(name.data())) throw std::runtime_error("cannot make " + name);
  directory_ = name;
  std::mt19937 random(5);
  static constexpr std::array kEndings{".c", ".h", ".py", ".txt"};
  fs::path folder;
  for (size_t k = 0; k < files; ++k) {
    if (k % 20 == 0) {
      const size_t number = k / 20;
      folder = root() / ("part" + std::to_string(number % 16)) /
               ("group" + std::to_string(number / 16 % 32)) / ("unit" + std::to_string(number));
      fs::create_directories(folder);
      if (number % 10 == 0) put(folder / ".gitignore", "*.generated\n/local/\n");
    }
    put(folder / (word(random) + std::to_string(k) + kEndings[k % kEndings.size()]),
        source(random, k));
  }
  put(root() / ".gitignore", "build/\n*.log\n/out\n");
  fs::create_directories(root() / ".git");  // ripgrep obeys ignore files in repositories only
}

GeneratedTree::~GeneratedTree() {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void search_rows(size_t files, std::ostream& out) {
  const GeneratedTree tree(files);
  const auto box = open_box(tree.root());
  Toolbox toolbox = toolbox_on(tree, *box);
  const bool has_rg = !output_of("command -v rg 2>/dev/null").empty();
  for (const char* pattern : {"needle_in_a_haystack", "LIMIT_OF_\\w+\\s+0x\\d+", "(?i)NEEDLE_in_a",
                              "[A-Z]{5}_[A-Z]{2}_", "needle_in|OF_NODE", "haystack_\\d+;$"}) {
    const std::string rg = "cd '" + tree.root().string() + "' && rg --no-heading -n -e '" +
                           std::string(pattern) + "' .";
    std::string ours;
    std::string theirs;
    std::vector<double> our_times;
    std::vector<double> their_times;
    for (int round = 0; round < kRounds; ++round) {
      our_times.push_back(milliseconds([&] {
        ours = called(toolbox, "search", {{"pattern", pattern}});
      }));
      if (has_rg) their_times.push_back(milliseconds([&] { theirs = output_of(rg); }));
    }
    Json row{{"bench", "search"}, {"files", files}, {"pattern", pattern}};
    row["lines"] = sorted_lines(ours).size();
    row["ms"] = rounded(median(our_times));
    if (has_rg) {
      std::string plain;
      for (std::string& line : sorted_lines(theirs)) plain += line.substr(2) + "\n";  // no "./"
      if (sorted_lines(plain) != sorted_lines(ours)) {
        throw std::runtime_error(std::string("rg finds other lines of ") + pattern);
      }
      row["rg_ms"] = rounded(median(their_times));
      row["ratio"] = rounded(median(our_times) / median(their_times));
    }
    out << row.dump() << std::endl;
  }
}

void turn_rows(size_t files, std::ostream& out) {
  const GeneratedTree tree(files);
  put(tree.root() / "calc.py", "def clamp(x, low):\n    return x if x > low else low\n");
  const auto box = open_box(tree.root());
  Toolbox toolbox = toolbox_on(tree, *box);
  bool flip = false;
  const auto edit = [&](Json arguments) {
    flip = !flip;
    arguments["old"] = flip ? "x > low" : "x >= low";
    arguments["new"] = flip ? "x >= low" : "x > low";
    called(toolbox, "edit", arguments);
  };
  sandbox::Command bare;
  bare.argv = {"sh", "-c", "true"};
  sandbox::Command shell;
  shell.argv = {"bash", "-c", "true"};
  struct Row {
    const char* name;
    std::function<void()> call;
    const sandbox::Command* without;  // the command itself
  };
  const std::vector<Row> rows{
      {"plan",
       [&] {
         called(toolbox, "plan", {{"items", {"look", "fix"}}});
       },
       nullptr},
      {"list", [&] { called(toolbox, "list", Json::object()); }, nullptr},
      {"read",
       [&] {
         called(toolbox, "read", {{"path", "calc.py"}});
       },
       nullptr},
      {"read symbol",
       [&] {
         called(toolbox, "read", {{"symbol", "clamp"}});
       },
       nullptr},
      {"symbols",
       [&] {
         called(toolbox, "symbols", {{"path", "calc.py"}});
       },
       nullptr},
      {"edit",
       [&] {
         edit({{"path", "calc.py"}});
       },
       nullptr},
      {"edit symbol",
       [&] {
         edit({{"symbol", "clamp"}});
       },
       nullptr},
      {"write",
       [&] {
         called(toolbox, "write", {{"path", "new.txt"}, {"content", flip ? "a" : "b"}});
         flip = !flip;
       },
       nullptr},
      {"bash",
       [&] {
         called(toolbox, "bash", {{"command", "true"}});
       },
       &shell},
      {"test", [&] { called(toolbox, "test", Json::object()); }, &bare},
      {"diff", [&] { called(toolbox, "diff", Json::object()); }, nullptr},
      {"undo", [&] { called(toolbox, "undo", Json::object()); }, nullptr},
      {"search",
       [&] {
         called(toolbox, "search", {{"pattern", "needle_in"}});
       },
       nullptr},
  };
  for (const Row& row : rows) {
    std::vector<double> whole;
    std::vector<double> over;
    std::vector<double> processor;
    for (int round = 0; round < 3 * kRounds; ++round) {
      const double begin = processor_milliseconds();
      const double call = milliseconds(row.call);
      processor.push_back(processor_milliseconds() - begin);
      const double command = row.without ? milliseconds([&] { box->run(*row.without); }) : 0;
      whole.push_back(call);
      over.push_back(call - command);
    }
    out << Json{{"bench", "turn"},
                {"files", files},
                {"tool", row.name},
                {"ms", rounded(median(whole))},
                {"overhead_ms", rounded(median(over))},
                {"cpu_ms", rounded(median(processor))}}
               .dump()
        << std::endl;
  }
}

}  // namespace dsv4::tools::bench
