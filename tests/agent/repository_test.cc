#include "agent/repository.h"

#include <sys/stat.h>

#include <thread>

#include "agent/error.h"
#include "tests/agent/scratch.h"
#include "tests/catch.h"

using namespace dsv4::agent;

namespace {

std::string refusal(const std::filesystem::path& directory) {
  try {
    list_tree(enclosing_repository(directory));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

std::vector<std::string> paths(const Listing& listing) {
  std::vector<std::string> out;
  for (const TreeEntry& entry : listing.entries) out.push_back(entry.path);
  return out;
}

using Paths = std::vector<std::string>;

}  // namespace

TEST_CASE("the enclosing work tree is found from inside it") {
  const Scratch scratch;
  git_init(scratch / "repo");
  scratch.write("repo/a/b/file.txt", "x");
  const Repository repository = enclosing_repository(scratch / "repo/a/b");
  REQUIRE(repository.root == scratch / "repo");
  REQUIRE(repository.whole());
  REQUIRE(repository.prefix().empty());
}

TEST_CASE("a named directory inside a work tree is the repository alone") {
  const Scratch scratch;
  git_init(scratch / "repo");
  scratch.write("repo/outside.txt", "x");
  scratch.write("repo/tasks/one/a.py", "x");
  git_commit_all(scratch / "repo", "first");
  const Repository repository = named_repository(scratch / "repo/tasks/one");
  REQUIRE_FALSE(repository.whole());
  REQUIRE(repository.prefix() == "tasks/one/");
  REQUIRE(paths(list_tree(repository)) == Paths{"a.py"});
  REQUIRE(change_counts(repository).empty());
}

TEST_CASE("a named directory that is ignored as a whole is listed all the same") {
  const Scratch scratch;
  git_init(scratch / "repo");
  scratch.write("repo/.gitignore", "/build/\n");
  scratch.write("repo/build/task/a.py", "x");
  REQUIRE(paths(list_tree(named_repository(scratch / "repo/build/task"))) == Paths{"a.py"});
}

TEST_CASE("what is no work tree is refused, each with its sentence") {
  const Scratch scratch;
  std::filesystem::create_directories(scratch / "plain");
  git_init(scratch / "bare", true);
  git_init(scratch / "empty");
  REQUIRE(refusal(scratch / "absent").find("does not exist") != std::string::npos);
  REQUIRE(refusal(scratch / "plain").find("is not in a git repository") != std::string::npos);
  REQUIRE(refusal(scratch / "bare").find("is a bare repository") != std::string::npos);
  REQUIRE(refusal(scratch / "empty").find("has no files") != std::string::npos);
  REQUIRE(refusal(scratch / "empty/.git").find("inside a .git directory") != std::string::npos);
  scratch.write("file", "x");
  REQUIRE(refusal(scratch / "file").find("is not a directory") != std::string::npos);
}

TEST_CASE("the listing is the tree on disk: changed, new and untracked files, nothing ignored") {
  const Scratch scratch;
  git_init(scratch / "repo");
  scratch.write("repo/.gitignore", "*.log\nout/\n");
  scratch.write("repo/tracked.txt", "old");
  scratch.write("repo/removed.txt", "x");
  scratch.write("repo/kept.log", "x");
  const GitLibrary library;
  git_commit_all(scratch / "repo", "first");
  scratch.write("repo/tracked.txt", "changed by the user");
  scratch.write("repo/new.txt", "x");
  scratch.write("repo/noise.log", "x");
  scratch.write("repo/out/build.o", "x");
  std::filesystem::remove(scratch / "repo/removed.txt");
  const Listing listing = list_tree(enclosing_repository(scratch / "repo"));
  REQUIRE(paths(listing) == Paths{".gitignore", "new.txt", "tracked.txt"});
}

TEST_CASE("several threads may look at repositories at once") {
  const Scratch scratch;
  git_init(scratch / "repo");
  const auto look_often = [&] {
    for (int i = 0; i < 3000; ++i) {
      if (enclosing_repository(scratch / "repo").root.empty()) return;
    }
  };
  std::jthread other(look_often);
  look_often();
  other.join();
  REQUIRE(enclosing_repository(scratch / "repo").root == scratch / "repo");
}

TEST_CASE("links are listed as links and special files are skipped") {
  const Scratch scratch;
  git_init(scratch / "repo");
  scratch.write("outside/secret.txt", "x");
  scratch.write("repo/a.txt", "x");
  std::filesystem::create_symlink(scratch / "outside", scratch / "repo/link");
  REQUIRE(::mkfifo((scratch / "repo/pipe").c_str(), 0600) == 0);
  const Listing listing = list_tree(enclosing_repository(scratch / "repo"));
  REQUIRE(paths(listing) == Paths{"a.txt", "link"});
  REQUIRE(listing.entries[1].kind == EntryKind::kLink);
  REQUIRE(listing.skipped == Paths{"pipe"});
}

TEST_CASE("settings of git that are a pipe or a device are refused, not read for ever") {
  const Scratch scratch;
  scratch.write("repo/file", "");
  scratch.write("repo/sub/file", "");
  git_init(scratch / "repo");
  const auto said = [&](const char* part) -> std::string {
    try {
      list_tree(named_repository(scratch / part));
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  SECTION("a link to a device") {
    std::filesystem::create_symlink("/dev/zero", scratch / "repo/.gitignore");
    REQUIRE(said("repo").find(".gitignore is a pipe or a device") != std::string::npos);
    REQUIRE(said("repo/sub").find(".gitignore is a pipe or a device") != std::string::npos);
  }
  SECTION("a pipe below") {
    REQUIRE(::mkfifo((scratch / "repo/sub/.gitignore").c_str(), 0600) == 0);
    REQUIRE(said("repo").find("sub/.gitignore is a pipe or a device") != std::string::npos);
  }
  SECTION("an empty one, as many have it") {
    std::filesystem::create_symlink("/dev/null", scratch / "repo/.gitignore");
    REQUIRE(said("repo").empty());
  }
}

TEST_CASE("files of a nested repository are there to be read only") {
  const Scratch scratch;
  git_init(scratch / "repo");
  git_init(scratch / "repo/nested");
  scratch.write("repo/a.txt", "x");
  scratch.write("repo/nested/b.txt", "x");
  const Listing listing = list_tree(enclosing_repository(scratch / "repo"));
  REQUIRE(paths(listing) == Paths{"a.txt", "nested/b.txt"});
  REQUIRE_FALSE(listing.entries[0].foreign);
  REQUIRE(listing.entries[1].foreign);
}

TEST_CASE("sparse checkouts and partial clones are opened like any other") {
  const Scratch scratch;
  git_init(scratch / "repo");
  scratch.write("repo/a.py", "x");
  std::ofstream(scratch / "repo/.git/config", std::ios::app)
      << "[core]\n\trepositoryformatversion = 1\n"
         "[extensions]\n\tworktreeConfig = true\n\tpartialClone = origin\n";
  REQUIRE(paths(list_tree(enclosing_repository(scratch / "repo"))) == Paths{"a.py"});
}

TEST_CASE("changes are counted by path") {
  const Scratch scratch;
  git_init(scratch / "repo");
  scratch.write("repo/calm.txt", "x");
  scratch.write("repo/busy.txt", "1");
  git_commit_all(scratch / "repo", "first");
  for (const char* text : {"2", "3"}) {
    scratch.write("repo/busy.txt", text);
    git_commit_all(scratch / "repo", "more");
  }
  const auto counts = change_counts(enclosing_repository(scratch / "repo"));
  REQUIRE(counts.at("busy.txt") == 2);
  REQUIRE(counts.count("calm.txt") == 0);
}
