// git in a working copy is for commands to use as they like: the user's repository has no part in
// it, and nothing that a command does there changes what this program sees.

#include <sys/stat.h>

#include <cstdlib>
#include <map>

#include "agent/chat_place.h"
#include "agent/hooks.h"
#include "agent/patch.h"
#include "agent/working_copy.h"
#include "tests/agent/toy.h"
#include "tests/catch.h"

using namespace dsv4::agent;
namespace fs = std::filesystem;
namespace llm = dsv4::llm;
namespace sandbox = dsv4::sandbox;
using nlohmann::ordered_json;

namespace {

const std::pair<std::string, ordered_json> kRepair = {"edit",
                                                      {{"path", "calc.py"},
                                                       {"symbol", "clamp"},
                                                       {"old", "if x > high:\nreturn low"},
                                                       {"new", "if x > high:\n    return high"}}};
const llm::Reply kTest = calls({{"test", ordered_json::object()}});
const llm::Reply kFinish = calls({{"finish", {{"summary", "The upper bound was not returned."}}}});

std::pair<std::string, ordered_json> bash(const std::string& command) {
  return {"bash", {{"command", command}}};
}

// Every file of a tree with what makes it what it is.
std::map<std::string, std::string> snapshot(const fs::path& root) {
  std::map<std::string, std::string> all;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    struct stat info {};
    REQUIRE(::lstat(entry.path().c_str(), &info) == 0);
    std::string& what = all[entry.path().lexically_relative(root).string()];
    what = std::to_string(info.st_mode) + ' ' + std::to_string(info.st_mtim.tv_sec) + '.' +
           std::to_string(info.st_mtim.tv_nsec) + ' ' + std::to_string(info.st_nlink) + '\n';
    if (entry.is_regular_file()) {
      std::ifstream in(entry.path(), std::ios::binary);
      what.append(std::istreambuf_iterator<char>(in), {});
    }
  }
  return all;
}

// A repository as people have them: with a stash, branches, a tag and something staged.
void live_in(const fs::path& repository) {
  const std::string script =
      "cd '" + repository.string() +
      "' && export HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1 && git config user.name Me && "
      "git config user.email me@example.com && git branch old && git tag v1 && "
      "echo '# note' >> calc.py && git stash -q && echo staged > staged.txt && git add staged.txt";
  REQUIRE(std::system(script.c_str()) == 0);
}

// What a command may do to make git, or this program, do something else than before. MARK is a file
// outside, which only something that runs outside can make.
constexpr const char* kTricks[] = {
    "git add -A && git commit -qm mine && git checkout -qb other && git tag v2 && git stash list",
    "git add -A && git commit -qm mine && git replace HEAD HEAD~1; git branch -f main HEAD; true",
    "git config core.fsmonitor 'touch MARK' && git config core.hooksPath /work/evil && "
    "git config core.worktree / && git config core.excludesFile $PWD/all && echo '*' > all && "
    "git config --global core.fsmonitor 'touch MARK'; rm all",
    "git config filter.x.clean 'touch MARK; cat' && git config filter.x.smudge 'touch MARK; cat' "
    "&& "
    "git config diff.x.textconv 'touch MARK' && git config diff.external 'touch MARK' && "
    "echo '* filter=x diff=x' > .git/info/attributes && echo '*' > .git/info/exclude",
    "mkdir -p .git/hooks && for h in pre-commit post-checkout post-index-change "
    "reference-transaction"
    "; do printf '#!/bin/sh\\ntouch MARK\\n' > .git/hooks/$h; chmod 755 .git/hooks/$h; done",
    "echo '* -diff binary' > .git/info/attributes && git config core.bare true && "
    "git config core.fileMode false && git config core.autocrlf true && "
    "git update-index --assume-unchanged calc.py; true",
    "rm -rf .git",
    "rm -rf .git && git init -q && git add -A && git commit -qm all",
    "rm -rf .git && echo 'gitdir: /etc' > .git",
    "rm -rf .git && ln -s / .git",
    "rm -rf .git && mkfifo .git",
    "mv .git $TMPDIR/moved && echo \"gitdir: $TMPDIR/moved\" > .git",
    "echo x > .git/index && echo x > .git/HEAD && echo /etc > .git/commondir && "
    "echo /etc > .git/objects/info/alternates; find .git/objects -type f -exec chmod u+w {} + "
    "-exec sh -c 'echo bad > $0' {} ';'; mkfifo .git/packed-refs; true",
};

std::string with_mark(std::string text, const fs::path& mark) {
  for (size_t at = 0; (at = text.find("MARK", at)) != std::string::npos; ++at) {
    text.replace(at, 4, mark.string());
  }
  return text;
}

// A copy with tools, as an attempt has it.
class Place {
 public:
  explicit Place(sandbox::BackendKind kind) {
    const Repository repository = named_repository(toy.scratch / "repo");
    REQUIRE(make_base(repository, list_tree(repository), base, {}, {}));
    copy_base(base, work);
    sandbox::Policy policy = sandbox::task_policy(work);
    policy.backend = kind;
    box = std::make_unique<sandbox::Sandbox>(policy);
    dsv4::tools::WorkspaceOptions workspace;
    workspace.root = work;
    workspace.metadata = base / ".git";
    workspace.state_dir = toy.scratch / "state";
    workspace.box = box.get();
    fs::create_directories(workspace.state_dir);
    toolbox = std::make_unique<dsv4::tools::Toolbox>(std::move(workspace));
  }
  std::string call(const std::pair<std::string, ordered_json>& what) {
    const dsv4::tools::Outcome outcome = toolbox->call(what.first, what.second);
    INFO(outcome.text);
    REQUIRE_FALSE(outcome.error);
    return outcome.text;
  }

  Toy toy;
  fs::path base = toy.scratch / "base";
  fs::path work = toy.scratch / "work";
  std::unique_ptr<sandbox::Sandbox> box;
  std::unique_ptr<dsv4::tools::Toolbox> toolbox;
};

}  // namespace

TEST_CASE("a command commits, and the user's repository and the patch know nothing of it") {
  const auto kind = GENERATE(sandbox::BackendKind::kBubblewrap, sandbox::BackendKind::kLandlock);
  CAPTURE(sandbox::name_of(kind));
  Toy plain;
  live_in(plain.scratch / "repo");
  REQUIRE(plain.fix({{calls({kRepair}), kTest, kFinish}}).status == FixStatus::kPassed);

  Toy toy;
  live_in(toy.scratch / "repo");
  toy.options.box = kind;
  const auto before = snapshot(toy.scratch / "repo");
  const std::string work =
      "git add -A && git commit -qm mine && git checkout -qb other && echo 1 > more && "
      "git stash -qu && git stash drop -q && git tag v2 && git log --format=%s && "
      "git rm -qr --cached . && git commit -qm nothing && git gc -q --prune=now && "
      "echo all-$((2 + 2))-done";
  const FixReport report = toy.fix({{calls({kRepair, bash(work)}), kTest, kFinish}});
  INFO(report.error);
  const std::string transcript = toy.scratch.read("run/transcript.md");
  CAPTURE(transcript);
  CHECK(transcript.find("\nall-4-done") != std::string::npos);
  CHECK(report.status == FixStatus::kPassed);
  CHECK(toy.scratch.read("run/patch.diff") == plain.scratch.read("run/patch.diff"));
  CHECK(snapshot(toy.scratch / "repo") == before);
}

TEST_CASE("whatever a command does to .git, patches, listings and undo are what they were") {
  const auto kind = GENERATE(sandbox::BackendKind::kBubblewrap, sandbox::BackendKind::kLandlock);
  Place place(kind);
  const fs::path mark = place.toy.scratch / "ran";
  const auto record = snapshot(place.base);
  const auto untouched = snapshot(place.toy.scratch / "repo");
  place.call(kRepair);
  const std::string patch = make_patch(place.base, place.work);
  REQUIRE(patch_paths(patch) == std::vector<std::string>{"calc.py"});
  REQUIRE(place.toolbox->diff() == patch);
  for (const char* trick : kTricks) {
    CAPTURE(sandbox::name_of(kind), trick);
    remove_tree(place.work / ".git");
    copy_base(place.base / ".git", place.work / ".git");
    const std::string command = "{ " + with_mark(trick, mark) + "; } && echo do-$((1 + 1))-ne";
    const std::string said = place.call(bash(command));
    CAPTURE(said);
    CHECK(said.find("do-2-ne") != std::string::npos);
    CHECK(place.toolbox->diff() == patch);
    CHECK(make_patch(place.base, place.work) == patch);
    CHECK(untracked_files(place.base, place.work).empty());
    const Listing listing = list_tree({place.work, place.work, "", place.base / ".git"});
    REQUIRE(listing.entries.size() == 2);
    CHECK(listing.entries[0].path == "calc.py");
    CHECK_FALSE(fs::exists(mark));
  }
  place.call({"undo", ordered_json::object()});
  CHECK(place.toy.scratch.read("work/calc.py") == Toy::kBroken);
  CHECK(snapshot(place.base) == record);
  CHECK(snapshot(place.toy.scratch / "repo") == untouched);
  remove_tree(place.work);
}

TEST_CASE("a session goes on by its own record, not by the .git that commands have left") {
  Toy toy;
  Observer observer;
  ChatPlaceOptions options;
  options.work = toy.scratch / "session";
  options.repository = named_repository(toy.scratch / "repo");
  std::string patch;
  {
    ChatPlace place(options, observer, {});
    REQUIRE_FALSE(place.toolbox().call(kRepair.first, kRepair.second).error);
    patch = place.patch();
    place.toolbox().call("bash", bash("rm -rf .git && mkfifo .git").second);
    place.keep(true);
  }
  options.made = true;
  ChatPlace place(options, observer, {});
  CHECK(place.listing({}).entries.size() == 2);
  CHECK(place.patch().empty());  // begins where this toolbox did
  place.toolbox().call("bash", bash("echo x > new.txt").second);
  CHECK(patch_paths(place.patch()) == std::vector<std::string>{"new.txt"});
  CHECK(toy.scratch.read("session/tree/calc.py") == Toy::kFixed);
  CHECK_FALSE(place.prove(patch, {}));
  place.keep(false);
}

TEST_CASE("git in a hook without a sandbox does nothing that a command has told it") {
  Place place(sandbox::BackendKind::kAuto);
  const fs::path mark = place.toy.scratch / "ran";
  const fs::path seen = place.toy.scratch / "seen";
  Hook hook;
  hook.on = Hook::On::kAfterTool;
  hook.command = "git status --porcelain >> " + seen.string();
  hook.sandboxed = false;
  hook.timeout = std::chrono::minutes(1);
  struct : Observer {
    void on_note(const std::string& sentence) override { all += sentence + '\n'; }
    std::string all;
  } notes;
  const std::vector<Hook> hooks = {hook};
  Hooks around(hooks, {place.box->policy(), place.base / ".git", *place.toolbox}, notes, {});
  for (const std::string& trick : {"git config core.fsmonitor 'touch " + mark.string() + "'",
                                   std::string("rm -rf .git"), std::string("echo x > new.txt")}) {
    const llm::ToolCall call{"bash", bash(trick).second};
    REQUIRE_FALSE(around.before(call));
    around.on_outcome(call, place.toolbox->call(call.name, call.arguments));
  }
  CHECK(notes.all.empty());
  CHECK_FALSE(fs::exists(mark));
  CHECK(place.toy.scratch.read("seen") == "?? new.txt\n");
}
