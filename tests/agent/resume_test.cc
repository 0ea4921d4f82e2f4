// A run that goes on in another process: wherever the first one was killed, the end is the same.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "agent/apply.h"
#include "agent/error.h"
#include "agent/patch.h"
#include "agent/working_copy.h"
#include "llm/error.h"
#include "tests/agent/program.h"
#include "tests/agent/toy.h"
#include "tests/catch.h"
#include "tools/object_store.h"

using namespace dsv4::agent;
namespace fs = std::filesystem;
namespace llm = dsv4::llm;
using nlohmann::ordered_json;

namespace {

const llm::Reply kNote = calls({{"write", {{"path", "notes.txt"}, {"content", "one\n"}}}});
const llm::Reply kRead = calls({{"read", {{"path", "calc.py"}}}});
const llm::Reply kWrong =
    calls({{"edit", {{"path", "calc.py"}, {"old", "if x < low:"}, {"new", "if x <= low:"}}},
           {"test", ordered_json::object()}});
const llm::Reply kUndo = calls({{"undo", ordered_json::object()}});
const llm::Reply kRepair = calls({{"edit",
                                   {{"path", "calc.py"},
                                    {"old", "    if x > high:\n        return low"},
                                    {"new", "    if x > high:\n        return high"}}},
                                  {"test", ordered_json::object()}});
const llm::Reply kFinish = calls({{"finish", {{"summary", "The upper bound was not returned."}}}});

// The first attempt fails, the second one repairs.
const Attempts kPlan = {{kRead, kWrong, kFinish}, {kNote, kWrong, kUndo, kRepair, kFinish}};

// Speaks by kPlan; `spoken` hears the attempt and the turn, from 0, before each. The attempts are
// told apart by how many have begun.
Toy::Script plan(size_t attempt, const std::function<void(size_t attempt, size_t turn)>& spoken) {
  return [attempt, spoken, seen = false](std::span<const llm::RecordedSegment> context) mutable {
    const size_t turn = turns_in(context);
    if (turn == 0 && seen) ++attempt;
    seen = true;
    spoken(attempt, turn);
    return kPlan.at(attempt).at(turn);
  };
}

// Runs it in a process of its own, which is killed when the model would speak for the given time.
void run_until_killed(Toy& toy, size_t attempt, size_t turn) {
  const pid_t child = ::fork();
  if (child == 0) {
    toy.fix_with(plan(0, [&](size_t a, size_t t) {
      if (a == attempt && t == turn) ::kill(::getpid(), SIGKILL);
    }));
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
}

// What must come out, whatever happened before.
void check_end(const Toy& toy, const FixReport& report, const fs::path& run) {
  INFO(report.error);
  REQUIRE(report.status == FixStatus::kPassed);
  REQUIRE(report.attempts == 2);
  REQUIRE(report.turns == 8);
  REQUIRE(report.tool_calls == 11);
  REQUIRE(report.before == false);
  REQUIRE(report.context.files.size() == 2);
  REQUIRE(patch_paths(toy.scratch.read(run.lexically_relative(toy.scratch.path()).string() +
                                       "/patch.diff")) ==
          std::vector<std::string>{"calc.py", "notes.txt"});
  REQUIRE_FALSE(fs::exists(run / "work"));
  REQUIRE_FALSE(fs::exists(run / "kv"));
}

void copy_run(const fs::path& from, const fs::path& to) {
  fs::copy(from, to, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
}

}  // namespace

TEST_CASE("a run that was killed goes on with the turn that was cut, and repeats no other") {
  for (const auto& [attempt, turn] : std::vector<std::pair<size_t, size_t>>{
           {0, 0}, {0, 2}, {1, 0}, {1, 1}, {1, 2}, {1, 3}, {1, 4}}) {
    INFO(attempt << ' ' << turn);
    Toy toy;
    run_until_killed(toy, attempt, turn);
    REQUIRE(describe_run(toy.scratch / "run")->state == "interrupted");
    std::vector<std::pair<size_t, size_t>> spoken;
    const FixReport report = toy.resume_with(
        plan(attempt, [&](size_t a, size_t t) { spoken.emplace_back(a, t); }), toy.scratch / "run");
    REQUIRE(spoken.front() == std::pair(attempt, turn));
    const size_t left = attempt == 0 ? 3 - turn + 5 : 5 - turn;
    REQUIRE(spoken.size() == left);
    check_end(toy, report, toy.scratch / "run");
    REQUIRE(report.tokens.reprefilled == 0);
  }
}

TEST_CASE("the context that a run goes on with is the one it had, and so are the numbers") {
  Toy straight;
  const FixReport expected = straight.fix_with(plan(0, [](size_t, size_t) {}));
  Toy toy;
  run_until_killed(toy, 1, 3);
  const FixReport report = toy.resume_with(plan(1, [](size_t, size_t) {}), toy.scratch / "run");
  REQUIRE(toy.segments.size() == straight.segments.size());
  for (size_t i = 0; i < toy.segments.size(); ++i) {
    REQUIRE(toy.segments[i].text == straight.segments[i].text);
    REQUIRE(toy.segments[i].append == straight.segments[i].append);
  }
  REQUIRE(report.tokens.context == expected.tokens.context);
  REQUIRE(report.tokens.prefilled == expected.tokens.prefilled);
  REQUIRE(report.tokens.generated == expected.tokens.generated);
  const ordered_json file = ordered_json::parse(toy.scratch.read("run/report.json"));
  REQUIRE(file["context"]["files"] == ordered_json({"calc.py", "test_calc.py"}));
}

TEST_CASE("wherever the events end, whole or torn, the run goes on from there to the same end") {
  Toy toy;
  run_until_killed(toy, 1, 4);
  const std::string events = toy.scratch.read("run/events.jsonl");
  std::vector<size_t> cuts;
  for (size_t at = events.find('\n'); at != std::string::npos; at = events.find('\n', at + 1)) {
    cuts.push_back(at + 1);                            // after a whole line
    if (cuts.size() % 3 == 0) cuts.push_back(at + 9);  // within the next
  }
  for (const size_t cut : cuts) {
    INFO(cut);
    const fs::path run = toy.scratch / ("cut" + std::to_string(cut));
    copy_run(toy.scratch / "run", run);
    const std::string name = run.filename().string();
    std::string kept = events.substr(0, cut);
    if (cut % 2 == 0) kept += std::string(300, '\0') + "\n";  // as file systems leave it
    toy.scratch.write(name + "/events.jsonl", kept);
    const auto ended = [&] {
      const SavedRun saved = read_run(run);
      return saved.has_begun() ? static_cast<size_t>(saved.progress->attempts) : 0;
    };
    check_end(toy, toy.resume_with(plan(ended(), [](size_t, size_t) {}), run), run);
    fs::remove_all(run);
  }
}

TEST_CASE("a patch that waited for the gate when its process was killed goes there first") {
  Toy toy;
  toy.options.attempts = 1;
  int turn = 0;
  const FixReport whole = toy.fix_with([&](auto) { return turn++ == 0 ? kRepair : kFinish; });
  REQUIRE(whole.status == FixStatus::kPassed);
  // As it was before the gate: what it needs of the work is made again.
  const std::string events = toy.scratch.read("run/events.jsonl");
  const size_t gate = events.find("{\"event\":\"gate\"");
  REQUIRE(gate != std::string::npos);
  toy.scratch.write("run/events.jsonl", events.substr(0, gate));
  fs::remove(toy.scratch / "run/report.json");
  const Repository repository = named_repository(toy.scratch / "repo");
  REQUIRE(make_base(repository, list_tree(repository), toy.scratch / "run/work/base", {}, {}));
  toy.scratch.write("run/work/last.patch", toy.scratch.read("run/patch.diff"));
  const FixReport report = toy.resume_with(
      [](auto) -> llm::Reply { throw llm::Error("no turn is left"); }, toy.scratch / "run");
  INFO(report.error);
  REQUIRE(report.status == FixStatus::kPassed);
  REQUIRE(report.attempts == 1);
  REQUIRE(report.turns == whole.turns);
}

TEST_CASE("what was done to the files of a killed run makes no difference") {
  Toy toy;
  run_until_killed(toy, 1, 3);
  const fs::path work = toy.scratch / "run/work";
  SECTION("a turn that was cut had changed them") {
    toy.scratch.write("run/work/tree/calc.py", "half of it");
    toy.scratch.write("run/work/tree/new.txt", "new");
    fs::remove(work / "tree/notes.txt");
  }
  SECTION("the working copy is gone") { remove_tree(work / "tree"); }
  SECTION("the contents that undo needs are gone, so the attempt begins anew") {
    remove_tree(work / "state");
    remove_tree(work / "tree");
  }
  check_end(toy, toy.resume_with(plan(1, [](size_t, size_t) {}), toy.scratch / "run"),
            toy.scratch / "run");
}

TEST_CASE("where the files of the last turn cannot be read, the run goes on with the one before") {
  Toy toy;
  run_until_killed(toy, 1, 4);
  const auto repaired = dsv4::tools::ObjectStore::id_of(toy.scratch.read("run/work/tree/calc.py"));
  char name[GIT_OID_HEXSZ + 1] = {};
  git_oid_fmt(name, &repaired);
  const std::string file = std::string(name).insert(2, "/");
  size_t removed = 0;
  for (const auto& entry : fs::recursive_directory_iterator(toy.scratch / "run/work/state")) {
    if (entry.path().string().ends_with(file)) removed += fs::remove(entry.path()) ? 1 : 0;
  }
  REQUIRE(removed == 1);
  toy.scratch.write("run/work/tree/calc.py", "half of it");
  std::vector<std::pair<size_t, size_t>> spoken;
  const FixReport report = toy.resume_with(
      plan(1, [&](size_t a, size_t t) { spoken.emplace_back(a, t); }), toy.scratch / "run");
  REQUIRE(spoken == std::vector<std::pair<size_t, size_t>>{{1, 3}, {1, 4}});
  check_end(toy, report, toy.scratch / "run");
}

namespace {

// A run of the real program on an example, whose tests are a script that does one thing more in
// their third run, which is in the midst of the first attempt.
struct RealRun {
  explicit RealRun(const std::string& in_the_third_run) {
    fs::copy(DSV4_SOURCE_DIR "/tasks/examples/price_band", scratch / "example",
             fs::copy_options::recursive);
    git_init(scratch / "example/repo");
    git_commit_all(scratch / "example/repo", "first");
    const std::string place = scratch.path().string();
    scratch.write("tests.sh", "cd '" + place + "'\necho x >> runs\nif [ $(wc -l < runs) = 3 ]\n" +
                                  "then " + in_the_third_run +
                                  "\nfi\ncd - > /dev/null\npython3 test_prices.py\n");
    const std::string command =
        "cd '" + place + "/example/repo' && export XDG_STATE_HOME='" + place +
        "/state' XDG_CONFIG_HOME='" + place + "/config' && echo $$ > ../../pid && exec " +
        DSV4_BUILD_DIR + "/dsv4-agent fix ../issue.md --apply --json " +
        "--quiet --no-sandbox --test \"sh '" + place + "/tests.sh'\" > ../../out 2> ../../err";
    const int ended = std::system(command.c_str());
    status = WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
    err = scratch.read("err");
    report = ordered_json::parse(scratch.read("out"), nullptr, false);
  }

  Ended again(const std::string& arguments) const {
    return run_agent(scratch, scratch.path(), arguments);
  }

  std::string id() const { return report["run_id"]; }
  fs::path directory() const { return report["run_dir"].get<std::string>(); }

  Scratch scratch;
  int status = -1;
  std::string err;
  ordered_json report;
};

constexpr const char* kInterrupt = "kill -INT $(cat pid)";

}  // namespace

TEST_CASE("a signal ends with 130 and says how to go on, and going on ends as it would have") {
  const RealRun real(kInterrupt);
  const Scratch& scratch = real.scratch;
  INFO(real.err);
  REQUIRE(real.status == 130);
  REQUIRE(real.report["status"] == "interrupted");
  const std::string id = real.id();
  REQUIRE(real.err.find("dsv4-agent resume " + id) != std::string::npos);
  REQUIRE(scratch.read("example/repo/prices.py").find("<= 100") == std::string::npos);

  const auto run = [&](const std::string& arguments) { return real.again(arguments); };
  const Ended sandboxed = run("resume " + id);
  REQUIRE(sandboxed.status == 2);
  REQUIRE(sandboxed.err.find("begun with --no-sandbox: type that again") != std::string::npos);
  const Ended second = run("resume " + id + " --json --no-sandbox");
  INFO(second.err);
  REQUIRE(second.status == 0);
  const ordered_json end = ordered_json::parse(second.out);
  REQUIRE(end["status"] == "passed");
  REQUIRE(end["attempts"] == 1);
  REQUIRE(end["tokens"]["reprefilled"] == 0);
  REQUIRE(scratch.read("example/repo/prices.py").find("<= 100") != std::string::npos);
  const Ended third = run("resume " + id + " --json");
  REQUIRE(third.status == 2);
  REQUIRE(ordered_json::parse(third.out)["error"].get<std::string>().find("has ended (passed)") !=
          std::string::npos);
}

TEST_CASE("a run whose time is used up is kept until it is given more") {
  const RealRun real(kInterrupt);
  REQUIRE(real.status == 130);
  std::ofstream(real.directory() / "events.jsonl", std::ios::app)
      << R"({"event":"note","seconds":1801,"text":"later"})" << '\n';
  const std::string resume = "resume " + real.id() + " --no-sandbox";
  const Ended refused = real.again(resume);
  REQUIRE(refused.status == 2);
  REQUIRE(refused.err.find("--time-limit") != std::string::npos);
  REQUIRE(real.again(resume + " --time-limit 10m").status == 0);
}

TEST_CASE("nobody else goes on with a run while its process works") {
  const RealRun real(
      "XDG_STATE_HOME=$PWD/state " DSV4_BUILD_DIR
      "/dsv4-agent resume state/dsv4-agent/runs/* --no-sandbox > second.out 2> second.err\n"
      "echo $? > second.status");
  INFO(real.err);
  REQUIRE(real.status == 0);
  REQUIRE(real.scratch.read("second.status") == "2\n");
  REQUIRE(real.scratch.read("second.out").empty());
  REQUIRE(real.scratch.read("second.err")
              .find("another process works in " + real.directory().string()) != std::string::npos);
}

TEST_CASE("several processes work at once on one repository, in one state directory") {
  const RealRun real("XDG_STATE_HOME=$PWD/state XDG_CACHE_HOME=$PWD/cache " DSV4_BUILD_DIR
                     "/dsv4-agent fix example/issue.md --json --quiet > second.out 2> second.err");
  INFO(real.err << real.scratch.read("second.err"));
  REQUIRE(real.status == 0);
  const ordered_json second = ordered_json::parse(real.scratch.read("second.out"));
  REQUIRE(second["status"] == "passed");
  REQUIRE(second["run_id"] != real.report["run_id"]);
  const ordered_json list = ordered_json::parse(real.again("sessions --json").out);
  REQUIRE(list["sessions"].size() == 2);
}

TEST_CASE("what the model had computed and cannot be read is computed again, and counted") {
  const RealRun real(kInterrupt);
  REQUIRE(real.status == 130);
  size_t damaged = 0;
  for (const auto& entry : fs::recursive_directory_iterator(real.directory() / "kv")) {
    if (!entry.is_regular_file()) continue;
    if (++damaged % 2 == 0) {
      fs::resize_file(entry.path(), fs::file_size(entry.path()) / 2);
    } else {
      std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(static_cast<std::streamoff>(fs::file_size(entry.path()) / 2));
      file << "damage";
    }
  }
  REQUIRE(damaged > 0);
  const Ended ended = real.again("resume " + real.id() + " --json --no-sandbox");
  INFO(ended.err);
  REQUIRE(ended.status == 0);
  const ordered_json report = ordered_json::parse(ended.out);
  REQUIRE(report["attempts"] == 1);
  REQUIRE(report["tokens"]["reprefilled"] > 0);
}

TEST_CASE("a run whose untouched copy is gone says so") {
  Toy toy;
  run_until_killed(toy, 1, 2);
  remove_tree(toy.scratch / "run/work");
  const FixReport report = toy.resume_with(plan(1, [](size_t, size_t) {}), toy.scratch / "run");
  REQUIRE(report.status == FixStatus::kUsage);
  INFO(report.error);
  REQUIRE(report.error.find("begin again with fix") != std::string::npos);
}

TEST_CASE("a session is resumed by its name like a run, but for what only a run has") {
  const Scratch scratch;
  git_init(scratch / "repo");
  scratch.write("repo/a.txt", "one\n");
  git_commit_all(scratch / "repo", "first");
  scratch.write("in", "/save mine\n");
  REQUIRE(run_agent(scratch, scratch / "repo", "--run-dir $S/chat < $S/in").status == 0);
  const Ended refused = run_agent(scratch, scratch.path(), "resume chat --json");
  REQUIRE(refused.status == 2);
  const Ended ended = run_agent(scratch, scratch.path(), "resume chat < /dev/null");
  INFO(ended.err << ended.out);
  REQUIRE(ended.status == 0);
  REQUIRE((ended.err + ended.out).find("session chat goes on") != std::string::npos);
}

TEST_CASE("a run is not taken up where it cannot be, and stays as it was") {
  Toy toy;
  run_until_killed(toy, 1, 1);
  const fs::path run = toy.scratch / "run";
  const auto nothing = [](auto) -> llm::Reply { throw llm::Error("the engine failed"); };
  SECTION("another process works in it") {
    const RunLock lock(run);
    REQUIRE_THROWS_AS(read_run(run), UsageError);
  }
  SECTION("the engine fails") {
    REQUIRE(toy.resume_with(nothing, run).status == FixStatus::kEngine);
  }
  SECTION("the repository has moved") {
    fs::rename(toy.scratch / "repo", toy.scratch / "moved");
    REQUIRE(toy.resume_with(nothing, run).status == FixStatus::kUsage);
    fs::rename(toy.scratch / "moved", toy.scratch / "repo");
  }
  REQUIRE(describe_run(run)->state == "interrupted");
  check_end(toy, toy.resume_with(plan(1, [](size_t, size_t) {}), run), run);
}

TEST_CASE("a run whose engine failed goes on where it was, as often as it takes") {
  Toy toy;
  const fs::path run = toy.scratch / "run";
  const auto fails_at = [](size_t attempt, size_t turn, bool memory) {
    return plan(0, [=](size_t a, size_t t) {
      if (a != attempt || t != turn) return;
      if (memory) throw std::bad_alloc();
      throw llm::Error("the engine failed");
    });
  };
  const bool memory = GENERATE(false, true);
  const auto [attempt, turn] =
      GENERATE(std::pair<size_t, size_t>{0, 0}, std::pair{0, 2}, std::pair{1, 2}, std::pair{1, 4});
  CAPTURE(memory, attempt, turn);
  REQUIRE(toy.fix_with(fails_at(attempt, turn, memory)).status == FixStatus::kEngine);
  REQUIRE(describe_run(run)->state == "engine_error");
  // Now it is the first thing that fails.
  const auto nothing = [](auto) -> llm::Reply { throw llm::Error("the engine failed"); };
  REQUIRE(toy.resume_with(nothing, run).status == FixStatus::kEngine);
  std::vector<std::pair<size_t, size_t>> spoken;
  const FixReport report =
      toy.resume_with(plan(attempt, [&](size_t a, size_t t) { spoken.emplace_back(a, t); }), run);
  REQUIRE(spoken.front() == std::pair(attempt, turn));
  check_end(toy, report, run);
}

TEST_CASE("a run whose model could not be opened is begun by resume, once the model is there") {
  const Scratch scratch;
  fs::copy(DSV4_SOURCE_DIR "/tasks/examples/price_band", scratch / "example",
           fs::copy_options::recursive);
  git_init(scratch / "example/repo");
  git_commit_all(scratch / "example/repo", "first");
  fs::create_directories(scratch / "model");  // nothing in it yet
  const Ended first = run_agent(scratch, scratch / "example/repo",
                                "fix ../issue.md --json --quiet --model ../../model");
  INFO(first.err);
  REQUIRE(first.status == 3);
  const ordered_json report = ordered_json::parse(first.out);
  const std::string id = report["run_id"];
  REQUIRE(first.err.find("dsv4-agent resume " + id) != std::string::npos);
  REQUIRE(run_agent(scratch, scratch.path(), "resume " + id).status == 3);
  fs::copy(DSV4_SOURCE_DIR "/llm/nano/model", scratch / "model", fs::copy_options::recursive);
  const Ended second = run_agent(scratch, scratch.path(), "resume " + id + " --json");
  INFO(second.err);
  REQUIRE(second.status == 0);
  REQUIRE(ordered_json::parse(second.out)["status"] == "passed");
  REQUIRE(run_agent(scratch, scratch.path(), "resume " + id).status == 2);
}

TEST_CASE("what is no run, or says nothing of what was asked for, is refused") {
  const Scratch scratch;
  fs::create_directories(scratch / "empty");
  REQUIRE_THROWS_AS(read_run(scratch / "empty"), UsageError);
  scratch.write("old/events.jsonl", "{\"event\":\"run\",\"seconds\":0,\"id\":\"old\"}\n");
  REQUIRE_THROWS_AS(read_run(scratch / "old"), UsageError);
  scratch.write("odd/events.jsonl", "[1]\n{\"event\":7}\n\xff\n");
  REQUIRE_THROWS_AS(read_run(scratch / "odd"), UsageError);
  for (const char* arguments : {"resume", "resume a b", "resume absent", "resume --no-such-option",
                                "resume $S/old --time-limit never", "resume $S/old"}) {
    INFO(arguments);
    REQUIRE(run_agent(scratch, scratch.path(), arguments).status == 2);
  }
}

TEST_CASE("handing over a patch twice is handing it over once") {
  Toy toy;
  const FixReport first = toy.fix_with(plan(0, [](size_t, size_t) {}));
  const std::string patch = toy.scratch.read("run/patch.diff");
  const Repository repository = named_repository(toy.scratch / "repo");
  REQUIRE(make_base(repository, list_tree(repository), toy.scratch / "base", {}, {}));
  apply_to_tree(repository, toy.scratch / "base", toy.scratch / "try", patch);
  const std::string applied = toy.scratch.read("repo/calc.py");
  apply_to_tree(repository, toy.scratch / "base", toy.scratch / "try", patch);
  REQUIRE(toy.scratch.read("repo/calc.py") == applied);
  toy.scratch.write("repo/notes.txt", "mine\n");
  REQUIRE_THROWS_AS(apply_to_tree(repository, toy.scratch / "base", toy.scratch / "try", patch),
                    UsageError);
  commit_to_branch(repository, "mended", patch, "Fix: it\n");
  commit_to_branch(repository, "mended", patch, "Fix: it\n");
  REQUIRE_THROWS(commit_to_branch(repository, "mended", patch, "Fix: another\n"));
}
