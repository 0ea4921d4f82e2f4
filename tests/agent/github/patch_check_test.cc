#include "agent/github/patch_check.h"

#include <sys/stat.h>

#include "agent/git.h"
#include "agent/github/path_rules.h"
#include "tests/agent/scratch.h"
#include "tests/catch.h"

using namespace dsv4::agent;
using namespace dsv4::agent::github;

namespace {

namespace fs = std::filesystem;

// A repository with one commit.
class Checkout {
 public:
  Checkout() {
    write("shop/prices.py", "one\ntwo\nthree\n");
    write("tool.sh", "#!/bin/sh\n");
    write("bytes.bin", std::string("a\0b\n", 4));
    fs::permissions(path() / "tool.sh", fs::perms::owner_exec, fs::perm_options::add);
    fs::create_symlink("shop", path() / "link");
    git_init(path());
    git_commit_all(path(), "first");
    const GitLibrary library;
    const GitRepository git = open_repository(path().string());
    git_oid head;
    check_git(git_reference_name_to_id(&head, git.get(), "HEAD"), "HEAD");
    char text[41];
    commit = git_oid_tostr(text, sizeof text, &head);
  }

  fs::path path() const { return scratch_ / "repo"; }
  void write(const std::string& name, const std::string& text) const {
    scratch_.write("repo/" + name, text);
  }
  CheckedPatch check(const std::string& patch, const std::string& directory = "") const {
    return check_patch(patch, {path(), commit, directory});
  }

  std::string commit;

 private:
  Scratch scratch_;
};

const std::string kGood =
    "diff --git a/shop/prices.py b/shop/prices.py\n--- a/shop/prices.py\n+++ b/shop/prices.py\n"
    "@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n";

std::string added(const std::string& path, const std::string& mode = "100644",
                  const std::string& text = "x") {
  return "diff --git a/" + path + " b/" + path + "\nnew file mode " + mode +
         "\n--- /dev/null\n+++ b/" + path + "\n@@ -0,0 +1 @@\n+" + text + "\n";
}

}  // namespace

TEST_CASE("a good patch becomes a tree, and what has to be sent for it") {
  const Checkout checkout;
  const CheckedPatch checked = checkout.check(
      kGood + added("new/file.py") +
      "diff --git a/tool.sh b/tool.sh\ndeleted file mode 100755\n--- a/tool.sh\n+++ /dev/null\n"
      "@@ -1 +0,0 @@\n-#!/bin/sh\n");
  REQUIRE(checked.changes.size() == 3);
  CHECK(checked.changes[0].path == "new/file.py");
  CHECK(checked.changes[0].bytes == "x\n");
  CHECK(checked.changes[0].blob == "587be6b4c3f93f93c489c0111bba5596147a26cb");  // git hash-object
  CHECK(checked.changes[1].path == "shop/prices.py");
  CHECK(checked.changes[1].bytes == "one\n2\nthree\n");
  CHECK(checked.changes[2].path == "tool.sh");
  CHECK(checked.changes[2].blob.empty());
  // The same as what git itself makes of it.
  checkout.write("shop/prices.py", "one\n2\nthree\n");
  checkout.write("new/file.py", "x\n");
  fs::remove(checkout.path() / "tool.sh");
  const GitLibrary library;
  const GitRepository git = open_repository(checkout.path().string());
  git_index* index = nullptr;
  check_git(git_repository_index(&index, git.get()), "index");
  const GitIndex owned(index);
  check_git(git_index_add_all(index, nullptr, 0, nullptr, nullptr), "add");
  git_oid tree;
  check_git(git_index_write_tree(&tree, index), "tree");
  CHECK(std::string(git_oid_tostr_s(&tree)) == checked.tree);
}

TEST_CASE("a patch of a part of the repository stays in it") {
  const Checkout checkout;
  const std::string inner =
      "diff --git a/prices.py b/prices.py\n--- a/prices.py\n+++ b/prices.py\n"
      "@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n";
  const CheckedPatch checked = checkout.check(inner, "shop");
  CHECK(checked.changes.at(0).path == "shop/prices.py");
  CHECK(checked.tree == checkout.check(kGood).tree);
  CHECK_THROWS_AS(checkout.check(kGood, "shop"), PatchRefused);
  CHECK_THROWS_AS(checkout.check(inner, "nowhere"), UsageError);
  CHECK_THROWS_AS(checkout.check(inner, "link"), UsageError);
}

TEST_CASE("a patch that nobody has read may not do everything") {
  const Checkout checkout;
  const std::string link = "\xe2\x80\xae";  // right-to-left override
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "is empty"},
      {"nonsense", "cannot be read"},
      {std::string("diff\0", 5), "is binary"},
      {std::string(2 << 20, 'x'), "bytes, and at most"},
      {added("../x"), "is refused"},
      {added("a/../../x"), "no plain path"},
      {added("a\\x"), "is refused"},
      {added(".git/hooks/pre-commit"), "git's own"},
      {added("sub/.GIT/config"), "git's own"},
      {added("sub/git~1/config"), "git's own"},
      {added(".github/workflows/x.yml"), "continuous integration"},
      {added("sub/.GitHub/x"), "continuous integration"},
      {added(".gitlab-ci.yml"), "continuous integration"},
      {added("Jenkinsfile"), "continuous integration"},
      {added(".husky/pre-push"), "or a hook"},
      {added(".pre-commit-config.yaml"), "or a hook"},
      {added(".vscode/tasks.json"), "an editor"},
      {added(".gitattributes"), "git or a shell"},
      {added(".gitmodules"), "git or a shell"},
      {added(".dsv4-agent.toml"), "how this bot works"},
      {added("ln", "120000", "/etc/passwd"), "link"},
      {added("sub", "160000", "Subproject commit " + checkout.commit), "is refused"},
      {added("odd", "100777"), "is refused"},
      {added("setuid", "104755"), "is refused"},
      {added("TOOL.sh"), "in case only"},
      {added("link/x"), "is refused"},
      {added("bidi.py", "100644", "a" + link + "b"), "other than it is"},
      {added("tool.sh"), "is refused"},
      {"diff --git a/new b/new\nnew file mode 100644\nGIT binary patch\nliteral 1\nIc${Mb00001\n\n"
       "literal 0\nHcmV?d00001\n\n",
       "is binary"},
      {"diff --git a/tool.sh b/moved.sh\nsimilarity index 100%\nrename from tool.sh\nrename to "
       "moved.sh\n",
       "renamed"},
      {"diff --git a/link b/link\ndeleted file mode 120000\n--- a/link\n+++ /dev/null\n"
       "@@ -1 +0,0 @@\n-shop\n\\ No newline at end of file\n",
       "is a link"},
      {"diff --git a/tool.sh b/tool.sh\nold mode 100755\nnew mode 120000\n", "is refused"},
      {"diff --git a/shop/prices.py b/shop/prices.py\n--- a/shop/prices.py\n+++ b/shop/prices.py\n"
       "@@ -1,3 +1,3 @@\n one\n-three\n+2\n three\n",
       "does not fit"},
      {"diff --git a/absent.py b/absent.py\n--- a/absent.py\n+++ b/absent.py\n"
       "@@ -1 +1 @@\n-a\n+b\n",
       "does not fit"},
      {"diff --git a/shop/prices.py b/.github/x.yml\n--- a/shop/prices.py\n+++ b/.github/x.yml\n"
       "@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n",
       "is refused"},
      {"diff --git a/bytes.bin b/bytes.bin\ndeleted file mode 100644\n--- a/bytes.bin\n+++ "
       "/dev/null\n@@ -1 +0,0 @@\n-a\n",
       "is refused"},
  };
  for (const auto& [patch, sentence] : cases) {
    INFO(patch.substr(0, 200));
    CHECK_THROWS_AS(checkout.check(patch), PatchRefused);
    CHECK_THROWS_WITH(checkout.check(patch), message_with(sentence));
    if (patch.size() > 10 && patch.size() < 1000) {
      CHECK_THROWS_AS(checkout.check(kGood + patch), PatchRefused);
    }
  }
  std::string many;
  for (int i = 0; i <= 100; ++i) many += added("f" + std::to_string(i));
  CHECK_THROWS_WITH(checkout.check(many), message_with("101 files"));
  const std::string big(1 << 19, 'x');
  CHECK_NOTHROW(checkout.check(added("big", "100644", big)));
}

TEST_CASE("another commit than the pinned one is no place for a patch") {
  const Checkout checkout;
  CHECK_THROWS_WITH(
      check_patch(kGood, {checkout.path(), "0123456789012345678901234567890123456789", ""}),
      message_with("does not have the commit"));
}

TEST_CASE("ordinary paths may be changed") {
  for (const char* path :
       {"src/main.cc", ".gitignore", "a b/c.txt", "\xc3\xa4.py", "github/x.py", "hooks.py",
        "docs/action.md", "x/git.py", ".clang-format", "legit~12345"}) {
    INFO(path);
    CHECK_FALSE(why_not_touch(path));
  }
  for (const char* path :
       {"", "a//b", "a/", ".", "a/./b", ".git ", ".git.", ".git::$INDEX", ".g\xe2\x80\x8cit/config",
        "a\nb", "\xff", ".gitHUB/x", "CODEOWNERS", "docs/CODEOWNERS", "x/action.yml"}) {
    INFO(path);
    CHECK(why_not_touch(path));
  }
}
