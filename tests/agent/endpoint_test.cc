#include "agent/endpoint.h"

#include <stdlib.h>

#include <filesystem>
#include <thread>

#include "agent/error.h"
#include "agent/fix_options.h"
#include "agent/terminal/interactive.h"
#include "llm/error.h"
#include "tests/agent/engine.h"
#include "tests/agent/http/test_server.h"
#include "tests/agent/program.h"
#include "tests/agent/toy.h"
#include "tests/catch.h"

using namespace dsv4::agent;
namespace fs = std::filesystem;
namespace llm = dsv4::llm;
using chat_server::Act;
using nlohmann::ordered_json;

namespace {

constexpr const char* kKey = "planted-key-7f3a";

// Repairs the toy repository in two turns.
llm::Reply repair(std::span<const llm::RecordedSegment> context, const llm::ReplyOptions&) {
  if (turns_in(context) > 0) return calls({{"finish", {{"summary", "done"}}}});
  return calls({{"bash", {{"command", "env; cat /proc/*/environ; ls"}}},
                {"write", {{"path", "calc.py"}, {"content", Toy::kFixed}}},
                {"test", ordered_json::object()}});
}

Act act(llm::ScriptedConversation::Script script, const ordered_json& request) {
  return test_engine::act({std::move(script), {}}, request, {});
}

Endpoint at(const std::string& url) {
  Endpoint endpoint;
  endpoint.url = url;
  return endpoint;
}

// Without real waits.
EndpointRun in_a_hurry(std::vector<std::string>* notes = nullptr) {
  EndpointRun run;
  run.retry.sleep = [](auto, std::stop_token cancel) { return !cancel.stop_requested(); };
  if (notes != nullptr) {
    run.on_note = [notes](const std::string& sentence) { notes->push_back(sentence); };
  }
  return run;
}

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

// Every file below that holds the key.
std::vector<std::string> files_with(const std::string& key, const fs::path& directory) {
  std::vector<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string text(std::istreambuf_iterator<char>(in), {});
    if (text.find(key) != std::string::npos) out.push_back(entry.path().string());
  }
  return out;
}

FixArguments parsed(std::vector<std::string> arguments, const UserConfig& config = {}) {
  arguments.insert(arguments.begin(), "issue.md");
  return parse_fix_arguments(arguments, config);
}

}  // namespace

TEST_CASE("a run on an endpoint repairs, and its key is nowhere to be found") {
  Toy toy;
  ChatSocket server([](const ordered_json& request) { return act(repair, request); });
  toy.scratch.write("config/dsv4-agent/config.toml",
                    "[prices.tiny]\ninput = 1000\ncached-input = 100\noutput = 10_000\n");
  std::string how;
  SECTION("from the variable") { how = "DSV4_API_KEY=" + std::string(kKey); }
  SECTION("from another one") { how = "OTHER=" + std::string(kKey); }
  SECTION("from a command") {}
  toy.scratch.write("key", std::string(kKey) + "\n");
  const std::string source = how.empty()                ? " --key-command \"cat $S/key\""
                             : how.starts_with("OTHER") ? " --key-env OTHER"
                                                        : "";
  // The variable is set for the program alone.
  if (!how.empty()) ::setenv(how.substr(0, how.find('=')).c_str(), kKey, 1);
  const Ended ended = run_agent(
      toy.scratch, toy.scratch / "repo",
      "fix $S/issue.md --test 'python3 test_calc.py' --json --endpoint " + server.url() + source);
  ::unsetenv("DSV4_API_KEY");
  ::unsetenv("OTHER");
  INFO(ended.err);
  REQUIRE(ended.status == 0);
  const auto report = ordered_json::parse(ended.out);
  CHECK(report.at("model") == "tiny");
  CHECK(report.at("turns") == 2);
  CHECK(report.at("tokens").at("reprefilled") == 0);
  CHECK(report.at("cost").get<double>() > 0);
  CHECK(server.heads().find("Authorization: Bearer " + std::string(kKey)) != std::string::npos);
  fs::remove(toy.scratch / "key");
  CHECK(files_with(kKey, toy.scratch.path()).empty());
}

TEST_CASE("an endpoint that cannot be used ends with code 3 and a sentence") {
  Toy toy;
  ChatSocket refusing([](const ordered_json&) {
    return Act{401, "{\"error\": {\"message\": \"the key " + std::string(kKey) + " is wrong\"}}",
               false};
  });
  const auto run = [&](const std::string& url, const std::string& more) {
    ::setenv("DSV4_API_KEY", kKey, 1);
    const Ended ended =
        run_agent(toy.scratch, toy.scratch / "repo",
                  "fix $S/issue.md --test 'python3 test_calc.py' --endpoint " + url + more);
    ::unsetenv("DSV4_API_KEY");
    CHECK(ended.err.find(kKey) == std::string::npos);
    return std::to_string(ended.status) + " " + ended.err;
  };
  CHECK_THAT(run(refusing.url(), ""), message_with("3 "));
  CHECK_THAT(run(refusing.url(), ""), message_with("refuses the key (status 401): the key [key]"));
  CHECK(files_with(kKey, toy.scratch.path()).empty());
  CHECK_THAT(run("http://api.example.com", ""), message_with("would be sent unencrypted"));
  CHECK_THAT(run("https://u:p@example.com", ""), message_with("2 "));
}

TEST_CASE("a server that repeats the key in a turn does not put it into the run") {
  ChatSocket server([](const ordered_json& request) {
    return act([](auto, const auto&) { return says("it is " + std::string(kKey) + ", plan"); },
               request);
  });
  EndpointRun run = in_a_hurry();
  run.key = kKey;
  const auto conversation = open_endpoint(at(server.url()), std::move(run), {});
  conversation->user("hello");
  CHECK(conversation->reply({}).content == "it is [key], plan");
}

TEST_CASE("a server that is not there is tried again, and then given up") {
  std::vector<std::string> notes;
  const std::string url = [] { return ChatSocket([](const auto&) { return Act{}; }).url(); }();
  const std::string error = error_of([&] { open_endpoint(at(url), in_a_hurry(&notes), {}); });
  CHECK_THAT(error, message_with("the endpoint does not answer: cannot connect to 127.0.0.1:"));
  REQUIRE(notes.size() == 5);
  CHECK_THAT(notes[0], message_with("trying again in"));
}

TEST_CASE("limits and failures of a server are waited out") {
  int asked = 0;
  ChatSocket server([&](const ordered_json& request) {
    ++asked;
    if (asked == 1) return Act{429, "{}", false};
    if (asked == 2) return Act{500, "{}", false};
    if (asked == 3) return Act{503, "{}", false};
    return act([](auto, const auto&) { return says("well"); }, request);
  });
  std::vector<std::string> notes;
  const auto conversation = open_endpoint(at(server.url()), in_a_hurry(&notes), {});
  CHECK(conversation->model_name() == "tiny");
  CHECK(conversation->window() == 100000);
  conversation->user("hello");
  CHECK(conversation->reply({}).content == "well");
  REQUIRE(notes.size() == 3);
  CHECK_THAT(notes[0], message_with("status 429"));
}

TEST_CASE("an attempt gets through a line that spoils its connections, and does nothing twice") {
  std::vector<int> turns;  // that the server was asked for
  ChatSocket server([&](const ordered_json& request) {
    return act(
        [&](std::span<const llm::RecordedSegment> context, const llm::ReplyOptions&) {
          const auto turn = static_cast<int>(turns_in(context));
          turns.push_back(turn);
          if (turn == 4) return calls({{"finish", {{"summary", "done"}}}});
          return calls({{"bash", {{"command", "echo " + std::to_string(turn) + " >> done.txt"}}}});
        },
        request);
  });
  const std::vector<std::vector<std::string>> lines = {
      {"refuse", "fine", "reset", "fine", "lost", "status:429", "status:500", "status:503"},
      {"cut:40", "cut:200", "cut:400", "fine", "end:150", "end:300", "end:600", "fine", "lost"},
      {"slow", "slow", "cut:700", "slow", "reset", "status:502", "cut:10", "slow", "slow"}};
  for (const auto& faults : lines) {
    turns.clear();
    Toy toy;
    std::vector<std::string> arguments = {server.port()};
    arguments.insert(arguments.end(), faults.begin(), faults.end());
    const TestServer line("faults.py", arguments);
    Endpoint endpoint = at("http://127.0.0.1:" + line.port("port"));
    endpoint.model = "tiny";
    endpoint.context = 100000;
    const Stop stop(toy.options.time_limit);
    std::istringstream no_input;
    Observer observer;
    toy.options.attempts = 1;
    const FixReport report = run_fix(
        toy.options, {no_input, [&] { return open_endpoint(endpoint, in_a_hurry(), stop.token()); },
                      observer, stop});
    CAPTURE(report.error);
    CHECK(report.turns == 5);
    CHECK(report.tool_calls == 5);
    CHECK(turns.size() >= 5);
    const std::string patch = toy.scratch.read("run/patch.diff");
    CHECK(patch.find("+0\n+1\n+2\n+3\n") != std::string::npos);
    CHECK(std::count(patch.begin(), patch.end(), '+') == 3 + 1 + 4);  // header, hunk, lines
  }
}

namespace {

// What a server's recorded replies come to: the calls of its turns, the last of which may find the
// context too long.
struct Played {
  explicit Played(const std::string& name)
      : server("replay.py", {fs::path(DSV4_SOURCE_DIR) / "tests/agent/recorded" / name}) {
    conversation = open_endpoint(at("http://127.0.0.1:" + server.port("port")), in_a_hurry(), {});
    const std::vector<ordered_json> tools = {ordered_json::parse(
        R"({"name": "list", "description": "", "parameters": {"type": "object"}})")};
    conversation->system("Be good.", tools);
    conversation->user("hello");
  }

  // "NAME ARGUMENTS" of the only call of the next turn; what happened instead.
  std::string next() {
    const llm::Reply reply = conversation->reply({});
    if (reply.finish == llm::Finish::kLength) return "too long";
    if (reply.calls.size() != 1) return std::to_string(reply.calls.size()) + " calls";
    const std::string call = reply.calls[0].name + " " + reply.calls[0].arguments.dump();
    conversation->tool_results(std::vector<std::string>{"done"});
    return call;
  }

  TestServer server;
  std::unique_ptr<llm::Conversation> conversation;
};

}  // namespace

TEST_CASE("what servers not written here send is understood, byte for byte") {
  SECTION("llama.cpp's, which streams a call byte by byte") {
    Played played("llama.cpp");
    CHECK(played.conversation->model_name() == "tiny");
    CHECK(played.conversation->window() == 32768);
    CHECK(played.next() == R"(list {"path":": "})");
    CHECK(played.conversation->usage().generated == 73);
    CHECK(played.next() == R"(list {"path":"."})");
    CHECK(played.conversation->usage().cached > 0);
    CHECK(played.next() == "too long");
  }
  SECTION("llama-cpp-python's, which does not stream turns with tools, and does not say so") {
    Played played("llama-cpp-python");
    CHECK(played.conversation->model_name() == "tiny");
    CHECK(played.next() == R"(search {"pattern":": ","path":".","glob":": "})");
    CHECK(played.conversation->usage().generated > 0);
    CHECK(played.next() == R"(search {"pattern":": ","path":", ","glob":": "})");
  }
  SECTION("llama-cpp-python's, of a prompt that is too long") {
    Scratch scratch;
    const fs::path from = fs::path(DSV4_SOURCE_DIR) / "tests/agent/recorded/llama-cpp-python";
    for (const auto& [number, as] : {std::pair(1, 1), {2, 2}, {6, 3}, {7, 4}}) {
      fs::copy(from / (std::to_string(number) + ".http"),
               scratch.path() / (std::to_string(as) + ".http"));
    }
    Played played(scratch.path().string());
    CHECK(played.next() == "too long");
  }
  SECTION("transformers', whole calls in a stream without an end mark") {
    Played played("transformers");
    CHECK(played.conversation->model_name() == "tiny");
    CHECK(played.next() == R"(list {"path":"."})");
    CHECK(played.next() == R"(list {"path":"."})");
    CHECK(played.conversation->usage().generated == 98);
  }
}

TEST_CASE("a turn ends soon after it is stopped, though the server says nothing") {
  std::stop_source stop;
  std::stop_source release;
  ChatSocket server([&](const ordered_json& request) {
    stop.request_stop();
    dsv4::http::wait_for(std::chrono::hours(1), release.get_token());
    return act([](auto, const auto&) { return says("late"); }, request);
  });
  const auto conversation = open_endpoint(at(server.url()), in_a_hurry(), {});
  conversation->user("hello");
  llm::ReplyOptions options;
  options.cancel = stop.get_token();
  const llm::Reply reply = conversation->reply(options);
  release.request_stop();
  CHECK(reply.finish == llm::Finish::kCancelled);
}

TEST_CASE("a key is one word, and leaves the environment when it is taken") {
  ::setenv("DSV4_TEST_KEY", "secret\n", 1);
  char* const memory = ::getenv("DSV4_TEST_KEY");
  CHECK(take_key({"DSV4_TEST_KEY", {}}, true) == "secret");
  CHECK(::getenv("DSV4_TEST_KEY") == nullptr);
  CHECK(std::string(memory).empty());
  CHECK(take_key({"DSV4_TEST_KEY", {}}, true).empty());
  ::setenv("DSV4_TEST_KEY", "secret", 1);
  CHECK(take_key({"DSV4_TEST_KEY", {}}, false).empty());
  CHECK(::getenv("DSV4_TEST_KEY") == nullptr);
  CHECK(take_key({"DSV4_TEST_KEY", "echo word"}, true) == "word");
  for (const char* command : {"echo two words", "false", "true", "echo secret; exit 3",
                              "printf 'a\\nb'", "head -c 20000 /dev/zero | tr '\\0' a"}) {
    CAPTURE(command);
    CHECK_THROWS_AS(take_key({"DSV4_TEST_KEY", command}, true), UsageError);
  }
  CHECK_THAT(error_of([] {
               take_key({"DSV4_TEST_KEY", "echo two words"}, true);
             }),
             message_with("gives no key"));
}

TEST_CASE("the command line comes before the configuration, and keys stay with their server") {
  UserConfig config;
  config.endpoint = at("https://mine.example/v1");
  config.endpoint->model = "big";
  config.endpoint_key = {"MINE", "pass show mine"};
  CHECK(parsed({}, config).options.endpoint->url == "https://mine.example/v1");
  CHECK(parsed({}, config).key.command == "pass show mine");
  CHECK(parsed({"--key-env", "X"}, config).key.variable == "X");
  CHECK_FALSE(parsed({"--key-env", "X"}, config).key.command);
  const FixArguments other = parsed({"--endpoint", "https://other.example"}, config);
  CHECK_FALSE(other.options.endpoint->model);
  CHECK(other.key.variable == "DSV4_API_KEY");
  CHECK_FALSE(other.key.command);
  const FixArguments same = parsed({"--endpoint", "https://mine.example/v1"}, config);
  CHECK(same.options.endpoint->model == "big");
  CHECK(same.key.variable == "MINE");
  CHECK_FALSE(parsed({"--model", "/m"}, config).options.endpoint);
  CHECK(parsed({"--model", "/m"}, config).key.variable == "DSV4_API_KEY");
  CHECK(terminal::parse_interactive_arguments({}, config).chat.endpoint->model == "big");
  CHECK(terminal::parse_interactive_arguments({"--resume", "x"}, config).key_is_for ==
        "https://mine.example/v1");

  for (const std::vector<std::string>& bad : std::vector<std::vector<std::string>>{
           {"--endpoint", "https://a", "--model", "/m"},
           {"--endpoint", "ftp://a"},
           {"--endpoint", ""},
           {"--endpoint", "https://a", "--context", "12"},
           {"--endpoint", "https://a", "--key-env", "A", "--key-command", "b"},
           {"--endpoint-model", "x"},
           {"--context", "4096"},
           {"--endpoint", "https://a", "--key", "k"}}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parsed(bad), UsageError);
  }
  config.model = "/m";
  CHECK_THROWS_AS(parsed({}, config), UsageError);
  CHECK(parsed({"--endpoint", "https://mine.example/v1"}, config).options.endpoint);
}

TEST_CASE("config.toml names an endpoint, and what models cost") {
  const UserConfig config = parse_user_config(
      "[endpoint]\nurl = \"https://a/v1\"\nmodel = \"m\"\ncontext = 4096\ntimeout = \"5m\"\n"
      "key-command = \"pass show a\"\nkeys-in-the-clear = true\n"
      "[prices.\"org/m\"]\ninput = 0.5\noutput = 2\n",
      "config.toml");
  REQUIRE(config.endpoint);
  CHECK(to_json(endpoint_from(to_json(*config.endpoint))) == to_json(*config.endpoint));
  CHECK(config.endpoint->timeout == std::chrono::minutes(5));
  CHECK(config.endpoint_key.command == "pass show a");
  llm::Usage usage;
  usage.prefilled = 1'000'000;
  usage.cached = 2'000'000;
  usage.generated = 500'000;
  CHECK(cost_of(usage, "org/m", config.prices) == 0.5 + 1.0 + 1.0);
  CHECK_FALSE(cost_of(usage, "other", config.prices));
  for (const char* bad :
       {"[endpoint]\nmodel = \"m\"", "[endpoint]\nurl = \"u\"\nkey = \"k\"", "endpoint = \"u\"",
        "[prices.m]\ninput = -1", "[prices.m]\ninput = \"1\"", "[prices.m]\nprice = 1",
        "[prices]\nm = 1", "[endpoint]\nurl = \"u\"\ncontext = 1"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_user_config(bad, "config.toml"), UsageError);
  }
  CHECK_THROWS_AS(parse_repository_config("[endpoint]\nurl = \"u\"", "x"), UsageError);
}
