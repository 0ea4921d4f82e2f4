#include "agent/hooks.h"

#include <stdlib.h>

#include "agent/chat.h"
#include "agent/observers.h"
#include "agent/repository.h"
#include "agent/working_copy.h"
#include "llm/scripted_conversation.h"
#include "tests/agent/toy.h"
#include "tests/catch.h"

using namespace dsv4::agent;
using namespace std::chrono_literals;
namespace fs = std::filesystem;
namespace llm = dsv4::llm;
using nlohmann::ordered_json;

namespace {

Hook hook(Hook::On on, const std::string& command, std::vector<std::string> tools = {}) {
  return {on, command, std::move(tools), 10s, true};
}

Hook before(const std::string& command, std::vector<std::string> tools = {}) {
  return hook(Hook::On::kBeforeTool, command, std::move(tools));
}

Hook after(const std::string& command, std::vector<std::string> tools = {}) {
  return hook(Hook::On::kAfterTool, command, std::move(tools));
}

struct Notes : Observer {
  std::string all;
  void on_note(const std::string& sentence) override { all += sentence + '\n'; }
};

// A place with tools on the toy repository, and hooks around them.
class Bench {
 public:
  explicit Bench(std::vector<Hook> hooks) : hooks_(std::move(hooks)) {
    const Repository repository = named_repository(toy.scratch / "repo");
    REQUIRE(make_base(repository, list_tree(repository), toy.scratch / "work", {}, {}));
    box_ =
        std::make_unique<dsv4::sandbox::Sandbox>(dsv4::sandbox::task_policy(toy.scratch / "work"));
    dsv4::tools::WorkspaceOptions workspace;
    workspace.root = toy.scratch / "work";
    workspace.metadata = toy.scratch / "work/.git";
    workspace.state_dir = toy.scratch / "state";
    workspace.test_command = "python3 test_calc.py";
    workspace.box = box_.get();
    fs::create_directories(workspace.state_dir);
    toolbox = std::make_unique<dsv4::tools::Toolbox>(workspace);
    around = std::make_unique<Hooks>(
        hooks_, Hooks::Place{box_->policy(), toy.scratch / "work/.git", *toolbox}, notes,
        std::stop_token());
  }

  // As the loop does a call. Why it was not done, or its result.
  std::string call(const std::string& name, const ordered_json& arguments) {
    const llm::ToolCall call{name, arguments};
    if (const auto reason = around->before(call)) return "refused: " + *reason;
    const dsv4::tools::Outcome outcome = toolbox->call(name, arguments);
    around->on_outcome(call, outcome);
    return outcome.text;
  }

  std::string file(const std::string& name) const { return toy.scratch.read("work/" + name); }

  Toy toy;
  Notes notes;
  std::unique_ptr<dsv4::tools::Toolbox> toolbox;
  std::unique_ptr<Hooks> around;

 private:
  std::vector<Hook> hooks_;
  std::unique_ptr<dsv4::sandbox::Sandbox> box_;
};

const ordered_json kWrite = {{"path", "a.txt"}, {"content", "one\n"}};

// Outside the sandbox: a file whose name no sandboxed hook is told.
class Outside {
 public:
  explicit Outside(const Scratch& scratch) : file_(scratch / "outside.txt") {
    ::setenv("DSV4_HOOKS_TEST", file_.c_str(), 1);
  }
  ~Outside() { ::unsetenv("DSV4_HOOKS_TEST"); }
  std::string text() const {
    std::ifstream in(file_);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

 private:
  fs::path file_;
};

}  // namespace

TEST_CASE("hooks are told what they are run for, and only run for their tools") {
  Bench bench({before("echo \"$1 $2\" >> log.txt", {"write"}),
               after("echo \"$1 $2 $4\" >> log.txt; printf %s \"$3\" > arguments.json"),
               before("echo never >> log.txt", {"read"}),
               hook(Hook::On::kFinish, "echo never >> log.txt")});
  bench.call("write", kWrite);
  REQUIRE(bench.file("log.txt") == "before-tool write\nafter-tool write done\n");
  REQUIRE(ordered_json::parse(bench.file("arguments.json")) == kWrite);
  bench.call("edit", {{"path", "absent"}, {"old", "a"}, {"new", "b"}});
  REQUIRE(bench.file("log.txt").ends_with("\nafter-tool edit error\n"));
  REQUIRE(bench.notes.all.empty());
}

TEST_CASE("a hook before a call that fails keeps it from being done, and says why") {
  std::string command = "echo no; echo 'only on Mondays'; exit 3";
  std::string reason = "exit status 3: only on Mondays";
  std::chrono::milliseconds timeout = 10s;
  SECTION("it says no") {}
  SECTION("it cannot be run") {
    command = "/absent/program";
    reason = "exit status 127";
  }
  SECTION("it takes too long") {
    command = "sleep 1000";
    reason = "killed after";
    timeout = 100ms;
  }
  Hook refusing = before(command, {"write"});
  refusing.timeout = timeout;
  Bench bench({refusing, before("echo >> second.txt"), after("echo >> after.txt", {"write"})});
  const std::string result = bench.call("write", kWrite);
  INFO(result);
  REQUIRE(result.starts_with("refused: a hook of the user does not allow this call (" + reason));
  REQUIRE(bench.notes.all.find(reason) != std::string::npos);
  for (const char* name : {"a.txt", "second.txt", "after.txt"}) {
    REQUIRE_FALSE(fs::exists(bench.toy.scratch / "work" / name));
  }
  REQUIRE(bench.call("read", {{"path", "calc.py"}}).find("def clamp") != std::string::npos);
}

TEST_CASE("a hook after a call that fails is told, and changes nothing") {
  Bench bench({after("echo broken; exit 1")});
  REQUIRE(bench.call("write", kWrite).find("refused") == std::string::npos);
  REQUIRE(bench.file("a.txt") == "one\n");
  REQUIRE(bench.notes.all ==
          "the after-tool hook `echo broken; exit 1` failed: exit status 1: broken\n");
}

TEST_CASE("what hooks change is taken back with their call, and is part of the patch") {
  Bench bench(
      {before("echo >> before.txt", {"write"}), after("sed -i s/one/ONE/ a.txt", {"write"})});
  bench.call("write", {{"path", "other.txt"}, {"content", "other\n"}});
  bench.call("write", kWrite);
  REQUIRE(bench.file("a.txt") == "ONE\n");
  REQUIRE(bench.toolbox->diff().find("+ONE") != std::string::npos);
  bench.call("undo", ordered_json::object());
  REQUIRE_FALSE(fs::exists(bench.toy.scratch / "work/a.txt"));
  REQUIRE(bench.file("before.txt") == "\n");
  bench.call("undo", ordered_json::object());
  REQUIRE(bench.toolbox->diff().empty());
}

TEST_CASE("a turn that was tried out and taken back leaves nothing of its hooks") {
  Bench bench({after("echo \"$2\" >> hooks.txt", {"edit"})});
  const auto turn = [](const std::string& now) {
    return calls({{"edit", {{"path", "calc.py"}, {"old", "return x"}, {"new", now}}},
                  {"test", ordered_json::object()}});
  };
  llm::ScriptedConversation conversation([&](auto, const llm::ReplyOptions& how) {
    const llm::Reply wrong = turn("return 7");
    return how.refuse(wrong) ? calls({{"finish", {{"summary", "none"}}}}) : wrong;
  });
  conversation.system("system", bench.toolbox->schemas());
  conversation.user("task");
  AttemptOptions options;
  options.trials = 3;
  options.forbid = [&](const llm::ToolCall& call) { return bench.around->before(call); };
  Observers observers({bench.around.get()});
  REQUIRE(run_attempt(conversation, *bench.toolbox, options, observers).end ==
          AttemptEnd::kFinished);
  REQUIRE(bench.file("calc.py") == Toy::kBroken);
  REQUIRE_FALSE(fs::exists(bench.toy.scratch / "work/hooks.txt"));
}

TEST_CASE("a hook has the sandbox and no variable of the user's, unless it is configured to") {
  const Scratch scratch;
  const Outside outside(scratch);
  Hook command = after("echo \"at $DSV4_HOOKS_TEST\" > seen.txt; echo out > \"$DSV4_HOOKS_TEST\"");
  SECTION("in the sandbox") {
    Bench bench({command});
    bench.call("write", kWrite);
    REQUIRE(bench.file("seen.txt") == "at \n");
    REQUIRE(outside.text().empty());
  }
  SECTION("in the sandbox, whatever it knows") {
    Bench bench({after("echo out > '" + (scratch / "outside.txt").string() + "'")});
    bench.call("write", kWrite);
    REQUIRE(outside.text().empty());
    REQUIRE(bench.notes.all.find("failed") != std::string::npos);
  }
  SECTION("without") {
    command.sandboxed = false;
    Bench bench({command});
    bench.call("write", kWrite);
    REQUIRE(bench.file("seen.txt") == "at " + (scratch / "outside.txt").string() + "\n");
    REQUIRE(outside.text() == "out\n");
  }
}

TEST_CASE("a run has its hooks around every call, and at its end those for that") {
  Toy toy;
  const Outside outside(toy.scratch);
  Hook finish =
      hook(Hook::On::kFinish, "(echo \"$1 $2\"; ls; cat patch.diff) > \"$DSV4_HOOKS_TEST\"");
  finish.sandboxed = false;
  toy.options.hooks = {before("echo 'not this way'; exit 1", {"bash"}), finish};
  const FixReport report =
      toy.fix({{calls({{"bash", {{"command", "echo hi > made.txt"}}}}),
                calls({{"write", {{"path", "calc.py"}, {"content", Toy::kFixed}}},
                       {"test", ordered_json::object()},
                       {"finish", {{"summary", "done"}}}})}});
  INFO(report.error);
  REQUIRE(report.status == FixStatus::kPassed);
  REQUIRE(outside.text() ==
          "finish passed\npatch.diff\nreport.json\n" + toy.scratch.read("run/patch.diff"));
  REQUIRE(outside.text().find("made.txt") == std::string::npos);
  bool told = false;
  for (const auto& segment : toy.segments) {
    told = told || segment.text.find("does not allow this call (exit status 1: not this way)") !=
                       std::string::npos;
  }
  REQUIRE(told);
}

TEST_CASE("a session has hooks as a run does, but none for what it may not do") {
  Toy toy;
  const Outside outside(toy.scratch);
  Hook finish = hook(Hook::On::kFinish, "(echo \"$1 $2\"; cat patch.diff) > \"$DSV4_HOOKS_TEST\"");
  finish.sandboxed = false;
  ChatOptions options;
  options.repo = toy.options.repo;
  options.test = toy.options.test;
  options.run_dir = toy.options.run_dir;
  options.hooks = {after("echo \"$2 $4\" >> hooks.txt"), finish};
  SECTION("it writes") {}
  SECTION("it may only look") { options.approval = Approval::kReadOnly; }
  const bool looks = options.approval == Approval::kReadOnly;
  int turn = 0;
  const auto open = [&](const auto&...) {
    return ChatModel{test_engine::open([&](auto, const auto&) {
                       return turn++ == 0 ? calls({{"write", kWrite}}) : says("done");
                     }),
                     "scripted"};
  };
  Observer observer;
  Chat chat(options, {open, observer, {}}, std::stop_token());
  REQUIRE(chat.say("write it", true, {}).code == kPassed);
  REQUIRE(toy.scratch.read("run/work/tree/hooks.txt") == (looks ? "" : "write done\n"));
  REQUIRE(outside.text().starts_with("finish answered\n"));
  REQUIRE((outside.text().find("+one") != std::string::npos) != looks);
}
