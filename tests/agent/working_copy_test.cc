#include "agent/working_copy.h"

#include <sys/stat.h>

#include "agent/patch.h"
#include "tests/agent/scratch.h"
#include "tests/catch.h"

using namespace dsv4::agent;
namespace fs = std::filesystem;

namespace {

void make(const Scratch& scratch) {
  const Repository repository = enclosing_repository(scratch / "repo");
  REQUIRE(make_base(repository, list_tree(repository), scratch / "base", {}, {}));
}

}  // namespace

TEST_CASE("a base holds the tree byte for byte and a repository of its own") {
  const Scratch scratch;
  git_init(scratch / "repo");
  scratch.write("repo/.gitattributes", "* text=auto eol=crlf\n");
  scratch.write("repo/mixed.txt", "a\r\nb\n");
  scratch.write("repo/run.sh", "#!/bin/sh\n");
  fs::permissions(scratch / "repo/run.sh", fs::perms::owner_all);
  fs::create_symlink("/etc/passwd", scratch / "repo/link");
  make(scratch);
  REQUIRE(scratch.read("base/mixed.txt") == "a\r\nb\n");
  REQUIRE(fs::read_symlink(scratch / "base/link") == "/etc/passwd");
  REQUIRE((fs::status(scratch / "base/run.sh").permissions() & fs::perms::owner_exec) !=
          fs::perms::none);
  REQUIRE_FALSE(fs::exists(scratch / "base/.git/hooks"));
  REQUIRE(make_patch(scratch / "base", scratch / "base").empty());
}

TEST_CASE("a patch of a copy applies to a fresh copy and gives the same files") {
  const Scratch scratch;
  git_init(scratch / "repo");
  scratch.write("repo/a.txt", "one\ntwo\nthree");
  scratch.write("repo/gone.txt", "x\n");
  scratch.write("repo/crlf.txt", "a\r\nb\r\n");
  scratch.write("repo/sub/b.txt", "b\n");
  make(scratch);
  copy_base(scratch / "base", scratch / "work");
  scratch.write("work/a.txt", "one\n2\nthree");
  scratch.write("work/crlf.txt", "a\r\nB\r\n");
  scratch.write("work/new dir/ü.txt", "new\n");
  fs::remove(scratch / "work/gone.txt");
  scratch.write("work/bytes.bin", std::string("\0\1\2\xff", 4));
  fs::permissions(scratch / "work/sub/b.txt", fs::perms::owner_exec, fs::perm_options::add);
  const std::string patch = make_patch(scratch / "base", scratch / "work");
  copy_base(scratch / "base", scratch / "fresh");
  apply_patch(scratch / "fresh", patch);
  for (const char* path : {"a.txt", "crlf.txt", "new dir/ü.txt", "bytes.bin", "sub/b.txt"}) {
    INFO(path);
    REQUIRE(scratch.read(std::string("fresh/") + path) ==
            scratch.read(std::string("work/") + path));
  }
  REQUIRE_FALSE(fs::exists(scratch / "fresh/gone.txt"));
  REQUIRE(make_patch(scratch / "base", scratch / "fresh") == patch);
  REQUIRE(patch_paths(patch) == std::vector<std::string>{"a.txt", "bytes.bin", "crlf.txt",
                                                         "gone.txt", "new dir/ü.txt", "sub/b.txt"});
}

TEST_CASE("a patch that does not fit is refused") {
  const Scratch scratch;
  git_init(scratch / "repo");
  scratch.write("repo/a.txt", "one\ntwo\n");
  make(scratch);
  REQUIRE_THROWS(apply_patch(scratch / "base", "not a patch"));
  REQUIRE_THROWS(apply_patch(scratch / "base",
                             "diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n"
                             "@@ -1,2 +1,2 @@\n one\n-zwei\n+two\n"));
  REQUIRE(scratch.read("base/a.txt") == "one\ntwo\n");
}

TEST_CASE("what a build leaves behind is not in a patch") {
  const Scratch scratch;
  git_init(scratch / "repo");
  scratch.write("repo/a.py", "x\n");
  make(scratch);
  scratch.write("base/__pycache__/a.pyc", "x");
  scratch.write("base/build/a.o", "x");
  scratch.write("base/odd [name]*", "x");
  scratch.write("base/odd name", "x");
  REQUIRE(untracked_files(scratch / "base", scratch / "base") ==
          std::vector<std::string>{"odd [name]*", "odd name"});
  ignore_files(scratch / "base", {"odd [name]*"});
  REQUIRE(untracked_files(scratch / "base", scratch / "base") ==
          std::vector<std::string>{"odd name"});
  REQUIRE(patch_paths(make_patch(scratch / "base", scratch / "base")) ==
          std::vector<std::string>{"odd name"});
}

TEST_CASE("very large files and nested repositories are in the copy but never in a patch") {
  const Scratch scratch;
  git_init(scratch / "repo");
  git_init(scratch / "repo/nested");
  scratch.write("repo/a.txt", "x");
  scratch.write("repo/nested/b.txt", "b");
  scratch.write("repo/large.bin", std::string(kLargestTracked + 1, 'x'));
  make(scratch);
  REQUIRE(fs::file_size(scratch / "base/large.bin") == kLargestTracked + 1);
  scratch.write("base/large.bin", "changed");
  scratch.write("base/nested/b.txt", "changed");
  REQUIRE(make_patch(scratch / "base", scratch / "base").empty());
}

TEST_CASE("a name with any bytes can be kept out of a patch") {
  const Scratch scratch;
  git_init(scratch / "repo");
  scratch.write("repo/a.py", "x\n");
  make(scratch);
  scratch.write("base/two\nlines*", "x");
  ignore_files(scratch / "base", untracked_files(scratch / "base", scratch / "base"));
  REQUIRE(make_patch(scratch / "base", scratch / "base").empty());
}

TEST_CASE("pipes and devices that commands leave behind hold nobody up") {
  const Scratch scratch;
  git_init(scratch / "repo");
  scratch.write("repo/a.py", "x\n");
  scratch.write("repo/gone.py", "x\n");
  make(scratch);
  const fs::path base = scratch / "base";
  fs::create_directories(base / "sub/.git");
  fs::create_directories(base / "other");
  fs::remove(base / "gone.py");
  for (const char* pipe :
       {".gitignore", "sub/.gitattributes", "sub/.git/HEAD", "other/.git", "pipe", "gone.py"}) {
    REQUIRE(::mkfifo((base / pipe).c_str(), 0600) == 0);
  }
  fs::create_symlink("/dev/zero", base / "other/.gitignore");
  scratch.write("base/sub/new.py", "y\n");
  REQUIRE(untracked_files(base, base) == std::vector<std::string>{"sub/new.py"});
  REQUIRE(patch_paths(make_patch(base, base)) == std::vector<std::string>{"gone.py", "sub/new.py"});
}

TEST_CASE("files of any size and folders of any depth leave a patch that can be used") {
  const Scratch scratch;
  git_init(scratch / "repo");
  scratch.write("repo/a.py", "x\n");
  scratch.write("repo/b.py", "x\n");
  make(scratch);
  scratch.write("base/a.py", "y\n");
  scratch.write("base/large", "x");
  fs::resize_file(scratch / "base/b.py", 1 << 30);
  fs::resize_file(scratch / "base/large", 1 << 30);
  fs::path deep = scratch / "base";
  for (int i = 0; i < 150; ++i) deep /= "d";
  fs::create_directories(deep);
  NotInPatch left_out;
  REQUIRE(patch_paths(make_patch(scratch / "base", scratch / "base", {}, &left_out)) ==
          std::vector<std::string>{"a.py"});
  REQUIRE(left_out.too_large == std::vector<std::string>{"b.py", "large"});
}

TEST_CASE("directories are removed whatever their modes, and links in them are not followed") {
  const Scratch scratch;
  scratch.write("outside/kept.txt", "x");
  {
    const OwnedDirectory owned(scratch / "owned");
    scratch.write("owned/a/b/c.txt", "x");
    fs::create_directory_symlink(scratch / "outside", scratch / "owned/link");
    fs::permissions(scratch / "owned/a", fs::perms::none);
  }
  REQUIRE_FALSE(fs::exists(scratch / "owned"));
  REQUIRE(fs::exists(scratch / "outside/kept.txt"));
}

TEST_CASE("copying stops when it is cancelled") {
  const Scratch scratch;
  git_init(scratch / "repo");
  scratch.write("repo/a.txt", "x");
  const Repository repository = enclosing_repository(scratch / "repo");
  std::stop_source stop;
  stop.request_stop();
  REQUIRE_FALSE(
      make_base(repository, list_tree(repository), scratch / "base", {}, stop.get_token()));
}
