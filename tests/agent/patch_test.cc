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
  const std::string patch = make_patch(scratch / "changed");
  REQUIRE(patch.find("new") != std::string::npos);
  try {
    apply_patch(scratch / "fresh", patch);
  } catch (const std::runtime_error&) {  // refusing is as good
  }
  CHECK(scratch.read("outside/x") == "somebody's\n");
}
