#include "agent/patch.h"

#include <filesystem>

#include "tests/agent/scratch.h"
#include "tests/catch.h"

namespace fs = std::filesystem;
using namespace dsv4::agent;

TEST_CASE("files are put back in the copy, not behind a link that took their folder's place") {
  const Scratch scratch;
  scratch.write("base/tests/test_a.py", "as it was\n");
  scratch.write("outside/test_a.py", "somebody's\n");
  fs::create_directories(scratch / "patched");
  fs::create_directory_symlink(scratch / "outside", scratch / "patched/tests");
  take_files(scratch / "base", scratch / "patched", {"tests/test_a.py"});
  CHECK(scratch.read("outside/test_a.py") == "somebody's\n");
  CHECK_FALSE(fs::is_symlink(scratch / "patched/tests"));
  CHECK(scratch.read("patched/tests/test_a.py") == "as it was\n");
}

TEST_CASE("a file that is absent is removed from the copy, not from behind a link") {
  const Scratch scratch;
  scratch.write("outside/x", "somebody's\n");
  fs::create_directories(scratch / "from");
  fs::create_directories(scratch / "to");
  fs::create_directory_symlink(scratch / "outside", scratch / "to/link");
  take_files(scratch / "from", scratch / "to", {"link/x"});
  CHECK(scratch.read("outside/x") == "somebody's\n");
}

TEST_CASE("files are not taken from behind a link") {
  const Scratch scratch;
  scratch.write("outside/x", "somebody's\n");
  fs::create_directories(scratch / "from");
  fs::create_directory_symlink(scratch / "outside", scratch / "from/link");
  scratch.write("to/link/x", "old\n");
  take_files(scratch / "from", scratch / "to", {"link/x"});
  CHECK_FALSE(fs::exists(scratch / "to/link/x"));
}

TEST_CASE("a patch that puts a folder where a link was writes into the copy only") {
  const Scratch scratch;
  scratch.write("outside/x", "somebody's\n");
  for (const char* copy : {"changed", "fresh"}) {
    git_init(scratch / copy);
    fs::create_directory_symlink(scratch / "outside", (scratch / copy) / "link");
    git_commit_all(scratch / copy, "base");
  }
  fs::remove(scratch / "changed/link");
  scratch.write("changed/link/x", "new\n");
  const std::string patch = make_patch(scratch / "changed", scratch / "changed");
  REQUIRE(patch.find("new") != std::string::npos);
  try {
    apply_patch(scratch / "fresh", patch);
  } catch (const std::runtime_error&) {  // refusing is as good
  }
  CHECK(scratch.read("outside/x") == "somebody's\n");
}

TEST_CASE("a patch changes nothing behind a link of the copy, however it asks for it") {
  const std::string made =
      "diff --git a/link/x b/link/x\nnew file mode 100644\n--- /dev/null\n+++ b/link/x\n"
      "@@ -0,0 +1 @@\n+evil\n";
  const std::string changed =
      "diff --git a/link/key b/link/key\n--- a/link/key\n+++ b/link/key\n"
      "@@ -1 +1 @@\n-somebody's\n+evil\n";
  const std::string removed =
      "diff --git a/link/key b/link/key\ndeleted file mode 100644\n--- a/link/key\n+++ /dev/null\n"
      "@@ -1 +0,0 @@\n-somebody's\n";
  const std::string deeper =
      "diff --git a/a/link/x b/a/link/x\nnew file mode 100644\n--- /dev/null\n+++ b/a/link/x\n"
      "@@ -0,0 +1 @@\n+evil\n";
  const std::string to_file =
      "diff --git a/file b/file\n--- a/file\n+++ b/file\n@@ -1 +1 @@\n-somebody's\n+evil\n";
  const auto made_link = [](const Scratch& scratch) {
    return "diff --git a/new b/new\nnew file mode 120000\n--- /dev/null\n+++ b/new\n"
           "@@ -0,0 +1 @@\n+" +
           (scratch / "outside").string() +
           "\n\\ No newline at end of file\n"
           "diff --git a/new/x b/new/x\nnew file mode 100644\n--- /dev/null\n+++ b/new/x\n"
           "@@ -0,0 +1 @@\n+evil\n";
  };
  const Scratch scratch;
  scratch.write("outside/key", "somebody's\n");
  int number = 0;
  for (const std::string& patch : {made, changed, removed, deeper, to_file, made_link(scratch)}) {
    const std::string name = "copy" + std::to_string(++number);
    const fs::path copy = scratch / name;
    git_init(copy);
    scratch.write(name + "/a/plain", "plain\n");
    fs::create_directory_symlink(scratch / "outside", copy / "link");
    fs::create_directory_symlink(scratch / "outside", copy / "a/link");
    fs::create_symlink(scratch / "outside/key", copy / "file");
    git_commit_all(copy, "base");
    INFO(patch);
    try {
      apply_patch(copy, patch);
    } catch (const std::runtime_error&) {  // refusing is as good
    }
    CHECK(scratch.read("outside/key") == "somebody's\n");
    CHECK_FALSE(fs::exists(scratch / "outside/x"));
  }
}
