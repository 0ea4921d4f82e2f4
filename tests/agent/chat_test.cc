#include "agent/chat.h"

#include "agent/chat_log.h"
#include "agent/error.h"
#include "agent/session_row.h"
#include "llm/error.h"
#include "llm/local_conversation.h"
#include "llm/scripted_conversation.h"
#include "tests/agent/toy.h"
#include "tests/catch.h"

using namespace dsv4::agent;
namespace llm = dsv4::llm;
using nlohmann::ordered_json;

namespace {

const llm::Reply kFix = calls(
    {{"write", {{"path", "calc.py"}, {"content", Toy::kFixed}}}, {"test", ordered_json::object()}});

struct Notes : Observer {
  std::string all;
  void on_note(const std::string& sentence) override { all += sentence + '\n'; }
};

// A session on the toy repository with a scripted model.
class Session {
 public:
  using Script = std::function<llm::Reply(const std::string& context)>;

  Session() {
    options.repo = toy.options.repo;
    options.test = toy.options.test;
    options.run_dir = toy.options.run_dir;
  }

  Chat& chat() {
    if (!chat_) chat_ = std::make_unique<Chat>(options, environment(), std::stop_token());
    return *chat_;
  }

  // The session as a process finds it that comes after this one was killed here and now; with so
  // many bytes of its events.
  void kill_and_resume(std::uintmax_t bytes = UINTMAX_MAX) {
    const auto copy = toy.scratch / "copied";
    std::filesystem::remove_all(copy);
    std::filesystem::copy(
        toy.scratch / "run", copy,
        std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
    chat_.reset();
    std::filesystem::remove_all(toy.scratch / "run");
    std::filesystem::rename(copy, toy.scratch / "run");
    const auto events = toy.scratch / "run/events.jsonl";
    if (bytes < std::filesystem::file_size(events)) std::filesystem::resize_file(events, bytes);
    chat_ =
        std::make_unique<Chat>(read_chat(toy.scratch / "run"), environment(), std::stop_token());
  }
  void end() { chat_.reset(); }

  ChatEnvironment environment() {
    const auto open = [this](const auto&...) {
      ChatModel model;
      model.name = "scripted";
      model.repairs_only = repairs_only;
      if (in_process) {
        model.conversation = llm::open_local(std::string(DSV4_SOURCE_DIR) + "/llm/nano/model");
        return model;
      }
      model.conversation = test_engine::open(
          [this](std::span<const llm::RecordedSegment> segments, const llm::ReplyOptions&) {
            context.clear();
            for (const auto& segment : segments) context += segment.text;
            return script(context);
          });
      return model;
    };
    return {open, observer, [this](const std::string& question) {
              asked.push_back(question);
              return allow;
            }};
  }

  ChatAnswer say(const std::string& message) { return chat().say(message, true, {}); }
  // One reply with these calls, then a word.
  ChatAnswer say_with(const std::string& message, const llm::Reply& first) {
    script = [first, done = false](const std::string&) mutable {
      return std::exchange(done, true) ? says("done") : first;
    };
    const ChatAnswer answer = say(message);
    script = [](const std::string&) { return says("yes"); };
    return answer;
  }
  std::string copied(const std::string& path) const {
    return toy.scratch.read("run/work/tree/" + path);
  }
  std::string own(const std::string& path) const { return toy.scratch.read("repo/" + path); }

  Toy toy;
  ChatOptions options;
  bool repairs_only = false;
  bool in_process = false;  // the embedded model, which takes a chat for something else
  bool allow = false;
  std::vector<std::string> asked;
  Notes observer;
  Script script = [](const std::string&) { return says("yes"); };
  std::string context;  // of the last turn

 private:
  std::unique_ptr<Chat> chat_;
};

llm::Reply write(const std::string& path, const std::string& content) {
  return calls({{"write", {{"path", path}, {"content", content}}}});
}

}  // namespace

TEST_CASE("a message is answered in one growing context that begins with the repository") {
  Session session;
  REQUIRE(session.say("what is this?").code == kPassed);
  REQUIRE(session.context.find("=== calc.py\ndef clamp") != std::string::npos);
  REQUIRE(session.say("and then?").code == kPassed);
  const size_t first = session.context.find("what is this?");
  REQUIRE(first != std::string::npos);
  REQUIRE(session.context.find("yes", first) < session.context.find("and then?", first));
  REQUIRE(session.context.find("Work with the tools only") == std::string::npos);
}

TEST_CASE("the model works on a copy, and the tree changes when the person says so") {
  Session session;
  REQUIRE(session.say_with("repair clamp", kFix).changed == "1 file: calc.py");
  REQUIRE(session.copied("calc.py") == Toy::kFixed);
  REQUIRE(session.own("calc.py") == Toy::kBroken);
  const std::string patch = session.chat().patch();
  REQUIRE(session.chat().prove(patch, {})->ok());
  session.chat().apply(patch);
  REQUIRE(session.own("calc.py") == Toy::kFixed);
  REQUIRE(session.chat().patch().empty());
  session.say_with("once more", write("new.txt", "x\n"));
  REQUIRE(session.chat().patch().find("calc.py") == std::string::npos);
  session.chat().apply(session.chat().patch());
  REQUIRE(session.own("new.txt") == "x\n");
}

TEST_CASE("changes that the person made meanwhile stay") {
  Session session;
  session.say_with("repair clamp", kFix);
  session.toy.scratch.write("repo/other.py", "x = 1\n");
  session.toy.scratch.write("repo/calc.py",
                            std::string(Toy::kBroken) + "\n\ndef more():\n    pass\n");
  session.chat().apply(session.chat().patch());
  REQUIRE(session.own("other.py") == "x = 1\n");
  REQUIRE(session.own("calc.py") == std::string(Toy::kFixed) + "\n\ndef more():\n    pass\n");

  session.say_with("again", write("calc.py", "a = 1\n"));
  session.toy.scratch.write("repo/calc.py", "b = 2\n");
  REQUIRE_THROWS_WITH(session.chat().apply(session.chat().patch()), message_with("do not fit"));
  REQUIRE(session.own("calc.py") == "b = 2\n");
}

TEST_CASE("going back takes files and context together") {
  Session session;
  Chat& chat = session.chat();
  session.say_with("first message", write("a.txt", "1\n"));
  chat.checkpoint("one");
  session.say_with("second message", write("a.txt", "2\n"));
  session.say_with("third message", write("b.txt", "3\n"));
  chat.rewind(1);
  REQUIRE(session.copied("b.txt").empty());
  REQUIRE(session.copied("a.txt") == "2\n");
  session.say("now");
  REQUIRE(session.context.find("second message") != std::string::npos);
  REQUIRE(session.context.find("third message") == std::string::npos);
  chat.rewind("one");
  REQUIRE(session.copied("a.txt") == "1\n");
  chat.rewind("one");  // a checkpoint stays
  session.say("now");
  REQUIRE(session.context.find("first message") != std::string::npos);
  REQUIRE(session.context.find("second message") == std::string::npos);
  chat.rewind(2);
  REQUIRE(session.copied("a.txt").empty());
  REQUIRE(chat.patch().empty());
  REQUIRE_THROWS_AS(chat.rewind(1), UsageError);
  REQUIRE_THROWS_AS(chat.rewind("one"), UsageError);
  REQUIRE_THROWS_AS(chat.rewind(0), UsageError);
}

TEST_CASE("branches keep their own files and contexts") {
  Session session;
  Chat& chat = session.chat();
  session.say_with("shared message", write("a.txt", "shared\n"));
  chat.fork("try");
  session.say_with("tried message", write("a.txt", "tried\n"));
  chat.fork("main");
  REQUIRE(session.copied("a.txt") == "shared\n");
  session.say("said on main");
  REQUIRE(session.context.find("shared message") != std::string::npos);
  REQUIRE(session.context.find("tried message") == std::string::npos);
  chat.fork("try");
  REQUIRE(session.copied("a.txt") == "tried\n");
  session.say("said on try");
  REQUIRE(session.context.find("tried message") != std::string::npos);
  REQUIRE(session.context.find("said on main") == std::string::npos);
  chat.rewind(3);  // before the message that was sent on the other branch
  REQUIRE(session.copied("a.txt").empty());
  REQUIRE_THROWS_AS(chat.fork("try"), UsageError);
}

TEST_CASE("what the person did between two messages is told to the model") {
  Session session;
  session.say_with("write", write("a.txt", "1\n"));
  session.chat().undo();
  session.chat().test({});
  session.say("go on");
  REQUIRE(
      session.context.find("(The person took back a change: Undid the last change to a.txt.)") !=
      std::string::npos);
  REQUIRE(session.context.find("(The person ran the tests. The tests fail: exit status 1.") !=
          std::string::npos);
  REQUIRE_THROWS_AS(session.chat().undo(), UsageError);
}

TEST_CASE("read-only lets the model look, and a plan is read-only") {
  Session session;
  const llm::Reply both = calls({{"read", {{"path", "calc.py"}}},
                                 {"write", {{"path", "a.txt"}, {"content", "1\n"}}},
                                 {"bash", {{"command", "touch b.txt"}}},
                                 {"test", ordered_json::object()}});
  session.script = [both, done = false](const std::string&) mutable {
    return std::exchange(done, true) ? says("done") : both;
  };
  session.chat().plan("how would you", true, {});
  REQUIRE(session.chat().patch().empty());
  REQUIRE(session.context.find("the session is read-only: write") != std::string::npos);
  REQUIRE(session.context.find("the session is read-only: bash") != std::string::npos);
  REQUIRE(session.context.find("the session is read-only: test") != std::string::npos);
  REQUIRE(session.context.find("the session is read-only: read") == std::string::npos);
  REQUIRE(session.say_with("do it", both).changed == "2 files: a.txt, b.txt");
  REQUIRE(session.asked.empty());
}

TEST_CASE("a session that goes on has the sandbox it was begun with") {
  Session session;
  session.options.box = dsv4::sandbox::BackendKind::kLandlock;
  session.options.allow_net = dsv4::sandbox::parse_allowed_hosts("a.org:443");
  session.chat().keep("");
  session.end();
  const ChatOptions saved = read_chat(session.toy.scratch / "run").options;
  REQUIRE(saved.box == dsv4::sandbox::BackendKind::kLandlock);
  REQUIRE(shown(saved.allow_net) == "a.org:443");
}

TEST_CASE("what reaches outside the sandbox is asked about") {
  Session session;
  session.options.sandboxed = false;
  const llm::Reply touch = calls({{"bash", {{"command", "touch out.txt"}}}});
  REQUIRE(session.say_with("do it", touch).changed == "no changes");
  REQUIRE(session.asked == std::vector<std::string>{"Outside the sandbox: bash touch out.txt"});
  REQUIRE(session.context.find("did not allow this") != std::string::npos);
  session.allow = true;
  REQUIRE(session.say_with("do it", touch).changed == "1 file: out.txt");
  session.chat().set_approval(Approval::kAuto);
  session.asked.clear();
  session.say_with("do it", calls({{"bash", {{"command", "touch two.txt"}}}}));
  REQUIRE(session.asked.empty());
}

TEST_CASE("a message that was stopped can be followed by another") {
  Session session;
  std::stop_source stop;
  session.script = [&](const std::string&) {
    stop.request_stop();  // while the calls of the turn are being made
    return calls({{"write", {{"path", "a.txt"}, {"content", "1\n"}}},
                  {"bash", {{"command", "sleep 1000"}}}});
  };
  REQUIRE(session.chat().say("begin", true, stop.get_token()).code == kInterrupted);
  session.script = [](const std::string&) { return says("yes"); };
  REQUIRE(session.say("go on").code == kPassed);
  REQUIRE(session.context.find("begin") < session.context.find("Error: the work has ended."));
}

TEST_CASE("an engine that fails leaves the session as it was before the message") {
  Session session;
  session.say("one");
  session.script = [](const std::string&) -> llm::Reply { throw llm::Error("no memory"); };
  REQUIRE_THROWS_AS(session.say("two"), llm::Error);
  session.script = [](const std::string&) { return says("yes"); };
  REQUIRE(session.say("three").code == kPassed);
  REQUIRE(session.context.find("one") != std::string::npos);
  REQUIRE(session.context.find("two") == std::string::npos);
}

TEST_CASE("a session that was killed goes on: files, context, points, branches and notes") {
  Session session;
  session.say_with("first message", write("a.txt", "1\n"));
  session.chat().checkpoint("one");
  session.say_with("second message", write("a.txt", "2\n"));
  session.chat().fork("try");
  session.say_with("third message", write("a.txt", "3\n"));
  session.chat().undo();
  session.chat().set_test("python3 test_calc.py # again");
  for (int times = 0; times < 2; ++times) {
    session.kill_and_resume();
    Chat& chat = session.chat();
    REQUIRE(session.copied("a.txt") == "2\n");
    REQUIRE(chat.place().test()->command == "python3 test_calc.py # again");
    REQUIRE(chat.timeline().branch() == "try");
    REQUIRE(chat.patch().find("+2") != std::string::npos);
    if (times == 0) {
      session.say("go on");
      REQUIRE(session.context.find("third message") != std::string::npos);
      REQUIRE(session.context.find("(The person took back a change") != std::string::npos);
      chat.undo();
      REQUIRE(session.copied("a.txt") == "1\n");
      chat.rewind(2);
    }
  }
  Chat& chat = session.chat();
  session.say("now");
  REQUIRE(session.context.find("second message") != std::string::npos);
  REQUIRE(session.context.find("third message") == std::string::npos);
  chat.fork("main");
  chat.rewind("one");
  REQUIRE(session.copied("a.txt") == "1\n");
  session.kill_and_resume();
  session.say("then");
  REQUIRE(session.context.find("first message") != std::string::npos);
  REQUIRE(session.context.find("second message") == std::string::npos);
  session.chat().fork("try");
  REQUIRE(session.copied("a.txt") == "2\n");
}

TEST_CASE("a session on the engine of this process goes on and computes nothing twice") {
  Session session;
  session.in_process = true;
  session.options.limits = {2, 64, 32};
  session.say("clamp is wrong");
  session.chat().checkpoint("one");
  const llm::Usage first = session.chat().usage();
  session.say("and so is the rest");
  const llm::Usage before = session.chat().usage();
  REQUIRE(before.context > first.context);
  REQUIRE(first.bytes > 0);
  session.kill_and_resume();
  REQUIRE(session.chat().usage().context == before.context);
  REQUIRE(session.chat().usage().reprefilled == 0);
  session.chat().rewind("one");
  REQUIRE(session.chat().usage().context == first.context);
  REQUIRE(session.chat().usage().reprefilled == 0);
  session.say("again");
  REQUIRE(session.chat().usage().context > first.context);
  REQUIRE(session.chat().usage().reprefilled == 0);
}

TEST_CASE("a session can be taken up wherever its events end") {
  Session session;
  session.say_with("first message", write("a.txt", "1\n"));
  const auto opened = session.toy.scratch.read("run/events.jsonl").find("\"event\":\"mark\"");
  const auto begin = session.toy.scratch.read("run/events.jsonl").find('\n', opened) + 1;
  for (size_t cut = begin; cut < begin + 6000; cut += 97) {
    INFO(cut);
    session.kill_and_resume(cut);
    const std::string now = session.copied("a.txt");
    REQUIRE((now.empty() || now == "1\n"));
    REQUIRE(session.say("go on").code == kPassed);
    if (now == "1\n") REQUIRE(session.context.find("first message") != std::string::npos);
    session.say_with("first message", write("a.txt", "1\n"));
  }
}

TEST_CASE("a session that was cut short in a message goes on after its last turn") {
  Session session;
  bool taken = false;  // what is on disk in the second turn
  session.script = [&, turn = 0](const std::string&) mutable -> llm::Reply {
    if (turn++ == 0) return write("a.txt", "1\n");
    std::filesystem::copy(
        session.toy.scratch / "run", session.toy.scratch / "killed",
        std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
    taken = true;
    return says("done");
  };
  session.say("first message");
  REQUIRE(taken);
  session.end();
  std::filesystem::remove_all(session.toy.scratch / "run");
  std::filesystem::rename(session.toy.scratch / "killed", session.toy.scratch / "run");
  session.script = [](const std::string&) { return says("yes"); };
  session.kill_and_resume();
  REQUIRE(session.copied("a.txt") == "1\n");
  REQUIRE(session.say("go on").code == kPassed);
  const size_t first = session.context.find("first message");
  REQUIRE(first != std::string::npos);
  REQUIRE(session.context.find("Wrote a.txt", first) != std::string::npos);
  REQUIRE(session.context.find("(You were cut short here.)", first) != std::string::npos);
  session.chat().rewind(2);
  REQUIRE(session.copied("a.txt").empty());
}

TEST_CASE("a session is kept when the person asks for it, and removed when not") {
  Session session;
  session.say_with("first message", write("a.txt", "1\n"));
  session.chat().keep("mine");
  session.end();
  REQUIRE(describe_run(session.toy.scratch / "run")->state == "saved");
  REQUIRE(describe_run(session.toy.scratch / "run")->title == "mine: first message");
  session.kill_and_resume();
  REQUIRE(session.copied("a.txt") == "1\n");
  REQUIRE_THROWS_WITH(read_chat(session.toy.scratch / "run"), message_with("another process"));
  session.end();
  REQUIRE(session.copied("a.txt") == "1\n");

  Session other;
  other.say("a message");
  other.end();
  REQUIRE(describe_run(other.toy.scratch / "run")->state == "ended");
  REQUIRE_FALSE(std::filesystem::exists(other.toy.scratch / "run/work"));
  REQUIRE_THROWS_WITH(read_chat(other.toy.scratch / "run"), message_with("was not saved"));
}

TEST_CASE("a model that repairs only gets every message as an issue of its own") {
  Session session;
  session.repairs_only = true;
  Hook hook;
  hook.on = Hook::On::kAfterTool;
  hook.tools = {"write"};
  hook.command = "exit 3";
  session.options.hooks = {hook};
  REQUIRE(session.say("hello").code == kUsage);
  REQUIRE(session.say("can you repair clamp please?").trouble.find("holds no conversation") !=
          std::string::npos);
  session.script = [turn = 0](const std::string&) mutable {
    return turn++ == 0 ? kFix : calls({{"finish", {{"summary", "done"}}}});
  };
  const ChatAnswer answer = session.say("clamp(5, 0, 3) gives 0, not 3");
  INFO(answer.trouble);
  REQUIRE(answer.code == kPassed);
  REQUIRE(answer.changed == "1 file: calc.py");
  // The person hears of their hook, and not of places that only the program has.
  REQUIRE(session.observer.all.find("the after-tool hook `exit 3` failed") != std::string::npos);
  REQUIRE(session.observer.all.find("work/tree") == std::string::npos);
  REQUIRE(session.context.find("\n# Issue\n\nclamp(5, 0, 3) gives 0") != std::string::npos);
  REQUIRE(session.copied("calc.py") == Toy::kFixed);
  REQUIRE(session.own("calc.py") == Toy::kBroken);
  REQUIRE(session.say("clamp is wrong still").trouble.find("the tests pass") != std::string::npos);
  session.chat().rewind(2);
  REQUIRE(session.chat().patch().empty());
  session.script = [](const std::string&) { return calls({{"finish", {{"summary", "no"}}}}); };
  const ChatAnswer gave_up = session.say("clamp is wrong still");
  REQUIRE(gave_up.code == kGaveUp);
  REQUIRE_FALSE(gave_up.trouble.empty());
}

TEST_CASE("a session that goes on still says which instructions it was given") {
  Session session;
  session.toy.scratch.write("repo/AGENTS.md", "Use tabs.\n");
  session.toy.scratch.write("repo/src/AGENTS.md", "Use blanks.\n");
  session.chat();
  session.kill_and_resume();
  REQUIRE(session.say("hello").code == kPassed);
  REQUIRE(session.context.find("=== src/AGENTS.md (for src/ only)\nUse blanks.\n") !=
          std::string::npos);
  REQUIRE(session.chat().context().instructions.size() == 2);
  REQUIRE(session.chat().context().instructions[1].path == "src/AGENTS.md");
}

TEST_CASE("files that a message names are shown unless they are there already") {
  const Scratch scratch;
  scratch.write("copy/a.py", "a = 1\n");
  scratch.write("copy/b.py", "b = 1");
  scratch.write("secret.txt", "secret\n");
  std::filesystem::create_symlink("../secret.txt", scratch / "copy/link.txt");
  RepositoryContext context;
  context.files.push_back({"a.py", "a = 1\n", false});
  const auto text = [&](const std::string& message, bool typed) {
    return message_text(message, scratch / "copy", context, typed);
  };
  REQUIRE(text("see @a.py", true) == "see @a.py");
  REQUIRE(text("see @b.py, and @b.py.", false) == "see @b.py, and @b.py.\n\n=== b.py\nb = 1\n");
  const std::string outside = "@" + (scratch / "secret.txt").string();
  REQUIRE(text(outside, true) == outside + "\n\n=== " + outside.substr(1) + "\nsecret\n");
  for (const std::string& path : {outside, std::string("@../secret.txt"), std::string("@link.txt"),
                                  std::string("@absent.py"), std::string("me@b.py")}) {
    REQUIRE(text(path, false) == path);
  }
  scratch.write("copy/a.py", "a = 2\n");
  REQUIRE(text("@a.py", false).ends_with("=== a.py\na = 2\n"));
}
