#include "tools/worktree.h"

#include <filesystem>
#include <sstream>

#include "tests/catch.h"
#include "tests/tools/fixture.h"
#include "tools/error.h"
#include "tools/ignore.h"
#include "tools/text.h"

namespace fs = std::filesystem;
using dsv4::tools::Ignore;
using dsv4::tools::ToolError;
using dsv4::tools::WorkTree;
using dsv4::tools::testing::Bench;
using dsv4::tools::testing::run_command;

TEST_CASE("paths are written in one way, and those that leave the tree are refused") {
  CHECK(WorkTree::clean("") == "");
  CHECK(WorkTree::clean("./a//b/./c/") == "a/b/c");
  CHECK(WorkTree::clean("/work/a") == "a");
  CHECK(WorkTree::clean("/work") == "");
  CHECK(WorkTree::clean(".gitignore") == ".gitignore");
  CHECK(WorkTree::clean("-x/...") == "-x/...");
  for (const char* path : {"..", "a/../b", "/", "/workshop/a", "/etc", ".git", "a/.Git/b"}) {
    INFO(path);
    CHECK_THROWS_AS(WorkTree::clean(path), ToolError);
  }
}

TEST_CASE("the working copy's own path, as a command may print it, is taken for what it is") {
  Bench bench;
  bench.put("a/b.txt", "text\n");
  const std::string root = bench.root().string();
  const WorkTree tree(bench.root());
  CHECK(tree.cleaned(root) == "");
  CHECK(tree.cleaned(root + "/a/b.txt") == "a/b.txt");
  CHECK(tree.cleaned("/work/a") == "a");
  CHECK_THROWS_AS(tree.cleaned(root + "-other/a"), ToolError);
  CHECK_THROWS_AS(tree.cleaned(root + "//etc/passwd/../.."), ToolError);
  CHECK_THROWS_AS(tree.cleaned(root + "/.git/config"), ToolError);
  std::filesystem::create_directory_symlink(bench.root(), root + "-link");
  CHECK(WorkTree(root + "-link").cleaned(root + "/a") == "a");
  CHECK(bench.done("read", {{"path", root + "/a/b.txt"}}).find("text") != std::string::npos);
  CHECK(bench.done("edit", {{"path", root + "/a/b.txt"}, {"old", "text"}, {"new", "word"}})
            .find("Edited a/b.txt") == 0);
  CHECK(bench.done("list", {{"path", root + "/a"}}) == "a/b.txt");
}

TEST_CASE("links cannot lead outside, with and without openat2") {
  Bench bench;
  bench.put("sub/a.txt", "inside\n");
  bench.put("../secret", "hunter2");
  fs::create_symlink("../secret", bench.root() / "out");
  fs::create_directory_symlink("..", bench.root() / "up");
  fs::create_directory_symlink("sub", bench.root() / "inner");
  for (const bool beneath : {true, false}) {
    INFO("openat2: " << beneath);
    const WorkTree tree(bench.root(), beneath);
    CHECK(tree.read("sub/a.txt").bytes == "inside\n");
    for (const char* path : {"out", "up/secret", "up", "sub", "none", "sub/a.txt/b"}) {
      INFO(path);
      CHECK_THROWS_AS(tree.read(path), ToolError);
    }
    for (const char* path : {"out", "up/secret", "inner/new", "sub", "sub/a.txt/b"}) {
      INFO(path);
      CHECK_THROWS_AS(tree.write(path, {"x", 0644}), ToolError);
    }
    tree.write("new/deep/file", {"x", 0600});
    CHECK(tree.read("new/deep/file").bytes == "x");
    CHECK((tree.status("new/deep/file").st_mode & 07777) == 0600);
    CHECK(tree.status("out").st_mode != 0);
    CHECK(tree.status("up/secret").st_mode == 0);
    tree.remove("new/deep/file");
    CHECK_FALSE(tree.exists("new/deep/file"));
  }
  CHECK(WorkTree(bench.root()).read("inner/a.txt").bytes == "inside\n");
  CHECK(bench.bytes("../secret") == "hunter2");
}

TEST_CASE("files are ignored as git ignores them") {
  Bench bench;
  const char* patterns =
      "*.log\n!keep.log\n/top\nbuild/\na/**/z\n**/deep\nx/**\n\\#odd\n*.t[xm]p\n# note\n"
      "sp\\ \ndir/*.c\n[!a-c]1\nlast*\n!lastly\n\\!bang\n*.b*k\n";
  bench.put(".gitignore", patterns);
  bench.put("sub/.gitignore", "!a.log\nlocal\n/anchored\n");
  std::string paths;
  for (const char* path :
       {"a.log",       "keep.log",    "sub/a.log",   "sub/b.log", "top",          "sub/top",
        "build/x",     "sub/build/x", "nobuild/x",   "a/z",       "a/b/z",        "a/b/c/z",
        "a/b/y",       "deep",        "q/deep/r",    "x/v",       "x/y/w",        "#odd",
        "f.txp",       "f.tmp",       "f.tap",       "dir/f.c",   "dir/e/f.c",    "f.c",
        "a1",          "d1",          "sub/e1",      "lastone",   "lastly",       "!bang",
        "f.back",      "sub/local",   "sub/q/local", "local",     "sub/anchored", "sub/q/anchored",
        "b.log/inner", "sp ",         "plain"}) {
    bench.put(path, "x");
    paths += std::string(path) + "\n";
  }
  run_command("cd '" + bench.root().string() + "' && git init -q");
  bench.put("../paths", paths);
  const std::string listed =
      run_command("cd '" + bench.root().string() +
                  "' && git check-ignore --no-index --stdin < ../paths || true");
  const WorkTree tree(bench.root());
  const Ignore ignore(tree);
  std::string ours;
  for (const std::string_view path : dsv4::tools::split_lines(paths)) {
    if (ignore.inside_ignored(std::string(path))) ours += std::string(path) + "\n";
  }
  CHECK(ours == listed);
  CHECK(listed.find("a/b/c/z") != std::string::npos);
}

TEST_CASE("a glob of stars without end is given up, not waited for") {
  std::string stars;
  for (int k = 0; k < 200; ++k) stars += "*a";
  CHECK_FALSE(dsv4::tools::glob_matches(stars + "b", std::string(1000, 'a')));
}
