// What is inside and what is not, whatever a command does with names.

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>

#include "sandbox/sandbox.h"
#include "tests/catch.h"
#include "tests/sandbox/boxes.h"
#include "tests/sandbox/outside.h"
#include "tests/sandbox/work_dir.h"

using namespace dsv4::sandbox;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

TEST_CASE("nothing of ours is inherited: descriptors, variables, input") {
  const WorkDir work;
  ::setenv("DSV4_TEST_SECRET", "do-not-tell", 1);
  const int leaked = ::open("/etc/passwd", O_RDONLY);  // not close-on-exec, as a library might
  std::vector<BoxKind> kinds = box_kinds();
  kinds.push_back({"bare", BackendKind::kAuto});
  const BoxKind kind = GENERATE_COPY(from_range(kinds));
  CAPTURE(kind);
  Policy policy = task_policy(work.path());
  policy.enforce = kind.backend != BackendKind::kAuto;
  const Sandbox box = kind.make(policy);
  constexpr const char* kOpen =
      "import os\n"
      "def is_open(fd):\n"
      "  try: return bool(os.fstat(fd))\n"
      "  except OSError: return False\n"
      "print([fd for fd in range(1000) if is_open(fd)])";
  CHECK(box.run({{"python3", "-c", kOpen}, ".", {}, {}}).output == "[0, 1, 2]\n");
  CHECK(shell(box, "env").output.find("do-not-tell") == std::string::npos);
  if (policy.enforce) CHECK_FALSE(shell(box, "grep -q do-not-tell /proc/*/environ").ok());
  CHECK(shell(box, "cat | wc -c").output == "0\n");
  ::unsetenv("DSV4_TEST_SECRET");
  ::close(leaked);
}

TEST_CASE("links in the working copy lead nowhere outside") {
  const WorkDir outside;
  const WorkDir work;
  write_file(outside.path() / "secret", "keep");
  const BoxKind kind = GENERATE(from_range(box_kinds()));
  CAPTURE(kind);
  const Sandbox box = kind.make(task_policy(work.path()));
  const std::string secret = (outside.path() / "secret").string();
  CHECK_FALSE(shell(box, "ln -s " + secret + " link && cat link").ok());
  CHECK_FALSE(shell(box, "echo lost > link").ok());
  CHECK(read_file(secret) == "keep");
  CHECK_FALSE(shell(box, "ln -s " + outside.path().string() + " folder && touch folder/x").ok());
  CHECK_FALSE(fs::exists(outside.path() / "x"));
  CHECK_FALSE(shell(box, "ln /usr/bin/env env").ok());
  CHECK_FALSE(shell(box, "ls /proc/1/cwd/ /proc/1/root/").ok());
}

TEST_CASE("protected paths stay as they were, whatever is done around them") {
  const WorkDir work;
  write_file(work.path() / ".git/config", "[core]\n");
  write_file(work.path() / ".github/workflows/ci.yml", "on: push\n");
  Policy policy = task_policy(work.path());
  policy.read_only = {".git", ".github/workflows", "absent/hooks"};
  const BoxKind kind = GENERATE(from_range(box_kinds()));
  const Sandbox box = kind.make(policy);
  for (const char* script :
       {"echo x >> .git/config", "rm -rf .git", "mv .git away", "ln .git/config away",
        "mv .github away", "mv .github/workflows away", "chmod -R 777 .git", "rm -rf .github",
        "ln -sfn /tmp .git", "touch .git", "touch absent/hooks/post-commit", "mv absent away",
        "rmdir absent/hooks", "echo x | tee .github/workflows/ci.yml",
        "mkdir w && mv .github/workflows w"}) {
    CAPTURE(kind, script);
    CHECK_FALSE(shell(box, script).ok());
  }
  CHECK(read_file(work.path() / ".git/config") == "[core]\n");
  CHECK(read_file(work.path() / ".github/workflows/ci.yml") == "on: push\n");
  CHECK(fs::is_empty(work.path() / "absent/hooks"));
}

TEST_CASE("a protected path that is a link is refused, not followed") {
  const WorkDir work;
  fs::remove(work.path() / ".git");
  fs::create_directory_symlink("/root", work.path() / ".git");
  const BoxKind kind = GENERATE(from_range(box_kinds()));
  REQUIRE_THROWS_WITH(kind.make(guarding_git(work.path())),
                      "The sandbox cannot protect '.git' in the working copy: it is a symbolic "
                      "link, or lies behind one.");
}

TEST_CASE("hooks stay as they are where git was told to look for them") {
  const WorkDir work;
  write_file(work.path() / "tools/hooks/pre-commit", "#!/bin/sh\n");
  const BoxKind kind = GENERATE(from_range(box_kinds()));
  const std::string hooks = GENERATE(as<std::string>(), "tools/hooks", "./tools/new/hooks/");
  CAPTURE(kind, hooks);
  const Sandbox box = kind.make(task_policy(work.path(), ProtectedNames(hooks)));
  CHECK_FALSE(shell(box, "echo x > " + hooks + "/pre-commit").ok());
  CHECK_FALSE(shell(box, "echo x > " + hooks + "/post-merge").ok());
  CHECK_FALSE(shell(box, "mv tools away").ok());
  CHECK(shell(box, "echo x > tools/other && mkdir hooks && echo x > hooks/pre-commit").ok());
  CHECK(read_file(work.path() / "tools/hooks/pre-commit") == "#!/bin/sh\n");
}

TEST_CASE("where CI configuration is a link, what it leads to stays as it is") {
  const WorkDir work;
  write_file(work.path() / "ci/jenkins", "stages\n");
  fs::create_symlink("ci/jenkins", work.path() / "Jenkinsfile");
  fs::create_symlink("/etc/passwd", work.path() / ".travis.yml");
  fs::create_symlink("nowhere", work.path() / ".drone.yml");
  const BoxKind kind = GENERATE(from_range(box_kinds()));
  CAPTURE(kind);
  const Sandbox box = kind.make(task_policy(work.path()));
  for (const char* script : {"echo x > Jenkinsfile", "echo x > ci/jenkins", "rm ci/jenkins",
                             "mv ci away", "mv ci/jenkins ci/x"}) {
    CAPTURE(script);
    CHECK_FALSE(shell(box, script).ok());
  }
  CHECK(shell(box, "cat Jenkinsfile && echo x > ci/other").ok());
  CHECK(read_file(work.path() / "ci/jenkins") == "stages\n");
}

TEST_CASE("names as programs of continuous integration read them are protected, others not") {
  const ProtectedNames names("tools/hooks");
  for (const char* path :
       {".github/workflows/a.yml", ".github", ".GitHub/x", ".gitlab-ci.yml", ".gitlab-ci-x.yml",
        ".woodpecker/a.yaml", ".woodpecker.yaml", "azure-pipelines-pr.yml", "Jenkinsfile",
        "jenkinsfile.deploy", "lefthook.toml", ".pre-commit-config.yml", "tools/hooks/pre-push"}) {
    CAPTURE(path);
    CHECK(names.hold(path));
    CHECK_FALSE(ProtectedNames::none().hold(path));
  }
  for (const char* path : {"", "github/x", "src/.github/x", ".gitignore", ".githubx", "tools/hook",
                           "tools/hooksmith", "docs/Jenkinsfile", "JenkinsfileTest.java"}) {
    CAPTURE(path);
    CHECK_FALSE(names.hold(path));
  }
  for (const char* hooks : {"", ".", "..", "../hooks", "/etc/hooks", ".git/hooks"}) {
    CAPTURE(hooks);
    CHECK_FALSE(ProtectedNames(hooks).hold("src/a.cc"));
    CHECK_FALSE(ProtectedNames(hooks).hold("etc/hooks"));
  }
}

TEST_CASE("a person may let CI configuration be changed") {
  const WorkDir work;
  write_file(work.path() / ".github/workflows/ci.yml", "on: push\n");
  const BoxKind kind = GENERATE(from_range(box_kinds()));
  CAPTURE(kind);
  const Sandbox box = kind.make(task_policy(work.path(), ProtectedNames::none()));
  CHECK(shell(box, "echo x > .github/workflows/ci.yml && mkdir .circleci && rmdir .circleci").ok());
  CHECK(std::distance(fs::directory_iterator(work.path()), {}) == 2);
}

TEST_CASE("folders may lie deeper than a path can say, in bubblewrap") {
  const WorkDir work;
  Policy policy = task_policy(work.path());
  policy.backend = BackendKind::kBubblewrap;
  const Result result = shell(Sandbox(policy),
                              "for i in $(seq 30); do n=$(printf %0200d $i)\n"
                              "mkdir $n && cd -P $n 2>/dev/null || cd ./$n; done\n"
                              "echo 1 > a && mv a b && cat b && rm -rf /work/0*");
  CHECK(result.output == "1\n");
}

TEST_CASE("git works in a working copy as it does anywhere else") {
  const WorkDir work;
  const BoxKind kind = GENERATE(from_range(box_kinds()));
  CAPTURE(kind);
  const Sandbox box = kind.make(task_policy(work.path()));
  const Result result =
      shell(box,
            "set -e\n"
            "git init -q -b main . && git config user.name Somebody\n"
            "echo 1 > a && echo '*.tmp' > .gitignore && git add a .gitignore\n"
            "git commit -qm one && echo 2 > a && git stash -q\n"
            "grep -q 1 a && git stash pop -q && git commit -qam two\n"
            "git checkout -qb side && echo 3 > b && git add b\n"
            "git commit -qm three && git checkout -q main && git merge -q side\n"
            "git worktree add -q $TMPDIR/wt side 2> /dev/null\n"
            "test -f $TMPDIR/wt/b && git worktree remove $TMPDIR/wt\n"
            "git clone -q . $TMPDIR/clone && test -f $TMPDIR/clone/b\n"
            "git tag v1 && git gc -q && git fsck --no-progress --no-dangling && echo 4 > a\n"
            "git checkout -q . && git log --format=%an:%s");
  CHECK(result.output == "Somebody:three\nSomebody:two\nSomebody:one\n");
  CHECK(result.ok());
}

TEST_CASE("git finds nothing in a working copy that it cannot remove") {
  const WorkDir work;
  write_file(work.path() / ".github/workflows/ci.yml", "on: push\n");
  for (const BoxKind& kind : box_kinds()) {
    if (kind.is_bubblewrap() && !kind.machine.broker) continue;  // there are stand-ins
    CAPTURE(kind);
    const Sandbox box = kind.make(task_policy(work.path(), ProtectedNames("tools/hooks")));
    const Result result = shell(box,
                                "set -e\n"
                                "rm -rf .git && git init -q -b main . && echo 1 > a\n"
                                "echo '*.tmp' > .gitignore && git add . && git commit -qm one\n"
                                "touch x.tmp y && mkdir empty && git stash -qu && ls -A\n"
                                "touch x.tmp y && mkdir empty && git clean -fdx");
    CHECK(result.output ==
          ".git\n.github\n.gitignore\na\nx.tmp\nRemoving empty/\nRemoving x.tmp\nRemoving y\n");
    CHECK(result.ok());
  }
}
