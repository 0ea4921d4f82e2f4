#include "agent/loop.h"

#include "agent/repository.h"
#include "agent/working_copy.h"
#include "llm/scripted_conversation.h"
#include "tests/agent/engine.h"
#include "tests/agent/toy.h"
#include "tests/catch.h"

using namespace dsv4::agent;
namespace llm = dsv4::llm;
using nlohmann::ordered_json;

namespace {

// One attempt on the toy repository with a scripted model.
class Bench {
 public:
  Bench() {
    const Repository repository = named_repository(toy_.scratch / "repo");
    REQUIRE(make_base(repository, list_tree(repository), toy_.scratch / "work", {}, {}));
    dsv4::sandbox::Policy policy = dsv4::sandbox::task_policy(toy_.scratch / "work");
    box_ = std::make_unique<dsv4::sandbox::Sandbox>(policy);
    dsv4::tools::WorkspaceOptions workspace;
    workspace.root = toy_.scratch / "work";
    workspace.metadata = toy_.scratch / "work/.git";
    workspace.state_dir = toy_.scratch / "state";
    workspace.test_command = "python3 test_calc.py";
    workspace.box = box_.get();
    std::filesystem::create_directories(workspace.state_dir);
    toolbox_ = std::make_unique<dsv4::tools::Toolbox>(workspace);
  }

  using Script = std::function<llm::Reply(int turn)>;
  using RefusableScript = std::function<llm::Reply(int turn, const llm::ReplyOptions& options)>;

  AttemptResult run(const Script& script, const AttemptOptions& options = {},
                    int64_t window = 1 << 20) {
    return run_refusable([&](int turn, const auto&) { return script(turn); }, options, window);
  }

  AttemptResult run_refusable(const RefusableScript& script, const AttemptOptions& options,
                              int64_t window = 1 << 20) {
    int turn = 0;
    llm::ScriptedConversation::Options scripted;
    scripted.window = window;
    scripted.on_reply = [this](std::span<const llm::RecordedSegment> all) {
      context_.clear();
      for (const auto& segment : all) context_ += segment.text;
    };
    const auto conversation = test_engine::open(
        [&](auto, const llm::ReplyOptions& how) { return script(++turn, how); }, scripted);
    conversation->system("system", toolbox_->schemas());
    conversation->user("task");
    Observer observer;
    return run_attempt(*conversation, *toolbox_, options, observer);
  }

  const std::string& context() const { return context_; }
  std::string file(const std::string& name) const { return toy_.scratch.read("work/" + name); }

 private:
  Toy toy_;
  std::unique_ptr<dsv4::sandbox::Sandbox> box_;
  std::unique_ptr<dsv4::tools::Toolbox> toolbox_;
  std::string context_;
};

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

llm::Reply raw(const std::string& text) {
  llm::Reply reply;
  reply.raw = text;
  return reply;
}

const llm::Reply kTestCall = calls({{"test", ordered_json::object()}});
const llm::Reply kFinish = calls({{"finish", {{"summary", "done"}}}});

}  // namespace

TEST_CASE("finish ends an attempt, and what follows it in the turn is not done") {
  Bench bench;
  const AttemptResult result = bench.run([](int) {
    return calls(
        {{"finish", {{"summary", "done"}}}, {"write", {{"path", "late.txt"}, {"content", "x"}}}});
  });
  REQUIRE(result.end == AttemptEnd::kFinished);
  REQUIRE(result.tool_calls == 1);
  REQUIRE(result.for_the_gate);
  REQUIRE(bench.file("late.txt").empty());
}

TEST_CASE("finishing while the last test failed is nothing for the gate") {
  Bench bench;
  const AttemptResult result = bench.run([](int turn) { return turn == 1 ? kTestCall : kFinish; });
  REQUIRE(result.end == AttemptEnd::kFinished);
  REQUIRE_FALSE(result.tests_passed);
  REQUIRE_FALSE(result.for_the_gate);
}

TEST_CASE("a model that stops calling tools after the tests passed has finished") {
  Bench bench;
  const AttemptResult result = bench.run([](int turn) {
    return turn == 1 ? calls({{"write", {{"path", "calc.py"}, {"content", Toy::kFixed}}},
                              {"test", ordered_json::object()}})
                     : says("All is well.");
  });
  REQUIRE(result.end == AttemptEnd::kStopped);
  REQUIRE(result.tests_passed);
  REQUIRE(result.for_the_gate);
}

TEST_CASE("a model that only talks is corrected three times in a row, not more") {
  Bench bench;
  int turns = 0;
  const AttemptResult result = bench.run([&](int turn) {
    turns = turn;
    return says("I think it is the bound.");
  });
  REQUIRE(result.end == AttemptEnd::kUnreadable);
  REQUIRE(turns == 4);
  REQUIRE(count(bench.context(), "Error: no tool was called") == 3);
}

TEST_CASE("calls that cannot be read get a correction, and good ones begin the count anew") {
  Bench bench;
  const std::string broken = "\n\n<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"test\">\n";
  const AttemptResult result = bench.run([&](int turn) {
    if (turn == 9) return kFinish;
    return turn % 4 == 0 ? calls({{"list", ordered_json::object()}}) : raw(broken);
  });
  REQUIRE(result.end == AttemptEnd::kFinished);
  REQUIRE(result.turns == 9);
}

TEST_CASE("calls that cannot be read four times in a row end the attempt") {
  Bench bench;
  const AttemptResult result =
      bench.run([&](int) { return raw("\n\n<｜DSML｜tool_calls>\nnonsense"); });
  REQUIRE(result.end == AttemptEnd::kUnreadable);
  REQUIRE(result.turns == 4);
}

TEST_CASE("the same call with the same result is pointed out once, then ends the attempt") {
  Bench bench;
  const AttemptResult result = bench.run([](int) {
    return calls({{"read", {{"path", "calc.py"}}}});
  });
  REQUIRE(result.end == AttemptEnd::kRepeating);
  REQUIRE(result.turns == 4);
  REQUIRE(count(bench.context(), "third time in a row") == 1);
}

TEST_CASE("a turn of several calls that repeats as a whole is pointed out too") {
  Bench bench;
  const AttemptResult result = bench.run([](int) {
    return calls({{"read", {{"path", "calc.py"}}}, {"read", {{"path", "test_calc.py"}}}});
  });
  REQUIRE(result.end == AttemptEnd::kRepeating);
  REQUIRE(result.turns == 4);
}

TEST_CASE("different calls are no repetition") {
  Bench bench;
  const AttemptResult result = bench.run([](int turn) {
    if (turn == 8) return kFinish;
    return calls({{"read", {{"path", turn % 2 == 0 ? "calc.py" : "test_calc.py"}}}});
  });
  REQUIRE(result.end == AttemptEnd::kFinished);
  REQUIRE(count(bench.context(), "third time in a row") == 0);
}

TEST_CASE("unknown tools and wrong arguments are answered, not fatal") {
  Bench bench;
  const AttemptResult result = bench.run([](int turn) {
    if (turn == 2) return kFinish;
    return calls({{"destroy", ordered_json::object()}, {"edit", {{"path", 3}, {"new", "x"}}}});
  });
  REQUIRE(result.end == AttemptEnd::kFinished);
  REQUIRE(bench.context().find("Error: there is no tool destroy") != std::string::npos);
  REQUIRE(bench.context().find("Error: edit: argument path must be a string") != std::string::npos);
}

TEST_CASE("every limit ends an attempt") {
  Bench bench;
  const auto reads = [](int turn) {
    return calls({{"read", {{"path", "calc.py"}, {"first", turn}}}});
  };
  AttemptOptions options;
  SECTION("turns") {
    options.limits.turns = 3;
    const AttemptResult result = bench.run(reads, options);
    REQUIRE(result.end == AttemptEnd::kTurns);
    REQUIRE(result.turns == 3);
  }
  SECTION("tokens") {
    options.limits.tokens = 100;
    REQUIRE(bench.run(reads, options).end == AttemptEnd::kTokens);
  }
  SECTION("the window") { REQUIRE(bench.run(reads, options, 2000).end == AttemptEnd::kWindow); }
  SECTION("a stop") {
    std::stop_source stop;
    stop.request_stop();
    options.cancel = stop.get_token();
    const AttemptResult result = bench.run(reads, options);
    REQUIRE(result.end == AttemptEnd::kCancelled);
    REQUIRE(result.turns == 0);
  }
}

TEST_CASE("a change that is tried out in vain leaves no trace, and one that helps stands") {
  Bench bench;
  const auto change = [](const std::string& now) {
    return calls({{"edit",
                   {{"path", "calc.py"},
                    {"old", "        return low\n    return x"},
                    {"new", "        return " + now + "\n    return x"}}},
                  {"test", ordered_json::object()}});
  };
  AttemptOptions options;
  options.trials = 3;
  std::vector<std::string> reasons;
  const auto result = bench.run_refusable(
      [&](int turn, const llm::ReplyOptions& how) {
        if (turn > 1) return kFinish;
        for (const char* wrong : {"x", "0"}) {
          reasons.push_back(how.refuse(change(wrong)).value_or(""));
          CHECK(bench.file("calc.py") == Toy::kBroken);
        }
        CHECK_FALSE(how.refuse(change("high")));
        return change("high");
      },
      options);
  CHECK(reasons == std::vector<std::string>(2, "the tests fail with it"));
  CHECK(bench.file("calc.py") == Toy::kFixed);
  CHECK(count(bench.context(), "Edited calc.py") == 1);
  CHECK(result.tests_passed);
  CHECK(result.turns == 4);
}
