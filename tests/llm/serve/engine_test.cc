#include "llm/serve/engine.h"

#include <condition_variable>
#include <mutex>
#include <string>

#include "llm/serve/chat_prompt.h"
#include "tests/catch.h"

namespace dsv4::llm::serve {
namespace {

using nlohmann::ordered_json;

OpenedModel nano() { return open_for_conversations(DSV4_SOURCE_DIR "/llm/nano/model", {}); }

// What one turn has told, for a test that waits for it.
class Heard : public TurnSink {
 public:
  void begun(const TurnUsage&) override {
    const std::lock_guard lock(mutex_);
    begun_ = true;
    changed_.notify_all();
  }
  void more(Delta delta, const TurnUsage& usage) override {
    const std::lock_guard lock(mutex_);
    content_ += delta.content;
    for (ToolCall& call : delta.calls) calls_.push_back(std::move(call));
    usage_ = usage;
    changed_.notify_all();
  }
  void ended(TurnEnd end, const TurnUsage& usage, const std::string& error) override {
    const std::lock_guard lock(mutex_);
    end_ = end;
    usage_ = usage;
    error_ = error;
    changed_.notify_all();
  }

  TurnEnd end() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return end_.has_value(); });
    return *end_;
  }
  void wait_for_tokens(int64_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return usage_.generated >= count || end_.has_value(); });
  }
  bool has_begun() {
    const std::lock_guard lock(mutex_);
    return begun_;
  }
  // After end().
  const std::string& content() const { return content_; }
  const std::vector<ToolCall>& calls() const { return calls_; }
  const TurnUsage& usage() const { return usage_; }
  const std::string& error() const { return error_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool begun_ = false;
  std::optional<TurnEnd> end_;
  std::string content_;
  std::vector<ToolCall> calls_;
  TurnUsage usage_;
  std::string error_;
};

ordered_json tool(const std::string& name) {
  return ordered_json::parse(R"({"type": "function", "function": {"name": ")" + name +
                             R"(", "parameters": {"type": "object", "properties":
                             {"path": {"type": "string"}}, "required": ["path"]}}})");
}

ordered_json chat(const std::string& system, const std::string& user) {
  return {{"model", "nano"},
          {"messages",
           {{{"role", "system"}, {"content", system}}, {{"role", "user"}, {"content", user}}}}};
}

TurnRequest turn_of(Engine& engine, const ordered_json& json, int64_t max_tokens) {
  const ChatRequest request = parse_chat_request(json.dump());
  TurnRequest turn;
  turn.prompt = chat_prompt(request, false, engine.model().tokenizer, engine.said());
  turn.sampling = request.generation.sampling;
  turn.sampling.temperature = 0;
  turn.max_tokens = max_tokens;
  turn.remember = true;
  if (request.may_call) turn.tools = guide_schemas(request.tools);
  turn.sink = std::make_shared<Heard>();
  return turn;
}

std::shared_ptr<Heard> start(Engine& engine, TurnRequest turn) {
  auto heard = std::static_pointer_cast<Heard>(turn.sink);
  engine.submit(std::move(turn));
  return heard;
}

}  // namespace

TEST_CASE("a turn says the same alone, beside others, and after a prompt that was kept") {
  EngineOptions options;
  options.most_running = 8;
  std::vector<std::string> alone;
  const auto prompt = [](int i) {
    return chat("You repair programs.", "File number " + std::to_string(i) + " is wrong, " +
                                            std::string(static_cast<size_t>(i) * 40, 'x'));
  };
  {
    Engine engine(nano(), options);
    for (int i = 0; i < 12; ++i) {
      const auto heard = start(engine, turn_of(engine, prompt(i), 40));
      CHECK(heard->end() != TurnEnd::kFailed);
      alone.push_back(heard->content());
    }
  }
  Engine engine(nano(), options);
  std::vector<std::shared_ptr<Heard>> all;
  for (int i = 0; i < 12; ++i) all.push_back(start(engine, turn_of(engine, prompt(i), 40)));
  for (int i = 0; i < 12; ++i) {
    all[static_cast<size_t>(i)]->end();
    CHECK(all[static_cast<size_t>(i)]->content() == alone[static_cast<size_t>(i)]);
  }
  const auto again = start(engine, turn_of(engine, prompt(7), 40));
  again->end();
  CHECK(again->content() == alone[7]);
  CHECK(again->usage().cached >= again->usage().prompt - 16);
}

TEST_CASE("an agent's next turn computes only what it adds") {
  Engine engine(nano(), {});
  ordered_json json = chat("You repair programs.", "What is in prices.py?");
  json["tools"] = {tool("read"), tool("list")};
  const TurnRequest first = turn_of(engine, json, 200);
  const auto prompt = static_cast<int64_t>(first.prompt.ids.size());
  const auto heard = start(engine, turn_of(engine, json, 200));
  heard->end();
  ordered_json said = {{"role", "assistant"}, {"content", heard->content()}};
  for (size_t i = 0; i < heard->calls().size(); ++i) {
    const ToolCall& call = heard->calls()[i];
    said["tool_calls"].push_back(
        {{"id", "call_" + std::to_string(i)},
         {"type", "function"},
         {"function", {{"name", call.name}, {"arguments", call.arguments.dump()}}}});
  }
  json["messages"].push_back(said);
  json["messages"].push_back({{"role", "user"}, {"content", "Go on."}});
  const auto next = start(engine, turn_of(engine, json, 20));
  next->end();
  // All that was said but its last id was computed.
  CHECK(next->usage().cached >= prompt + heard->usage().generated - 1);
  CHECK(next->usage().prompt > next->usage().cached);

  json["messages"][2]["content"] = "I never said this.";
  const auto other = start(engine, turn_of(engine, json, 20));
  other->end();
  CHECK(other->usage().cached < prompt + 8);
  CHECK(other->usage().cached >= prompt - 16);
}

TEST_CASE("calls are well formed even when the model knows nothing of the tools") {
  Engine engine(nano(), {});
  for (const std::string name : {"", "zebra"}) {
    ordered_json json = chat("You repair programs.", "Look at the test.");
    json["tools"] = {tool("read"), tool("zebra")};
    TurnRequest turn = turn_of(engine, json, 2000);
    turn.one_call = true;
    turn.beginning = call_beginning(name);
    const auto heard = start(engine, std::move(turn));
    if (heard->end() == TurnEnd::kLength) continue;  // an argument without an end
    CHECK(heard->content().empty());
    REQUIRE(heard->calls().size() == 1);
    const std::string called = heard->calls()[0].name;
    CHECK((called == "zebra" || (name.empty() && called == "read")));
    CHECK(heard->calls()[0].arguments.contains("path"));
  }
}

TEST_CASE("who leaves makes room, while speaking and while waiting") {
  EngineOptions options;
  options.most_running = 1;
  Engine engine(nano(), options);
  std::stop_source first_leaves, second_leaves;
  TurnRequest first = turn_of(engine, chat("", "Tell me everything."), 100000);
  first.endless = true;
  first.cancel = first_leaves.get_token();
  const auto speaking = start(engine, std::move(first));
  speaking->wait_for_tokens(3);
  TurnRequest second = turn_of(engine, chat("", "Me too."), 10);
  second.cancel = second_leaves.get_token();
  const auto waiting = start(engine, std::move(second));
  const auto third = start(engine, turn_of(engine, chat("", "And me."), 10));
  second_leaves.request_stop();
  CHECK(waiting->end() == TurnEnd::kCancelled);
  CHECK_FALSE(third->has_begun());
  first_leaves.request_stop();
  speaking->end();
  CHECK(third->end() != TurnEnd::kCancelled);
  CHECK(engine.state().waiting == 0);
}

TEST_CASE("contexts that are kept stay within their bytes") {
  EngineOptions options;
  options.kept_bytes = 4 << 20;
  Engine engine(nano(), options);
  for (int i = 0; i < 40; ++i) {
    start(engine, turn_of(engine, chat("System " + std::to_string(i), "Say something."), 8))->end();
  }
  // The state is counted after the sink heard of the end.
  start(engine, turn_of(engine, chat("", "One more."), 1))->end();
  CHECK(engine.state().bytes <= options.kept_bytes + (2 << 20));
  CHECK(engine.state().kept >= 1);
  CHECK(engine.state().kept < 40);
}

TEST_CASE("texts to stop at end a turn before they are shown") {
  Engine engine(nano(), {});
  const ordered_json json = chat("You repair programs.", "Say something long about the shop.");
  const auto whole = start(engine, turn_of(engine, json, 60));
  whole->end();
  REQUIRE(whole->content().size() > 12);
  const std::string stop = whole->content().substr(6, 4);
  TurnRequest turn = turn_of(engine, json, 60);
  turn.stop = {stop};
  const auto cut = start(engine, std::move(turn));
  CHECK(cut->end() == TurnEnd::kStop);
  CHECK(cut->content() == whole->content().substr(0, whole->content().find(stop)));
}

TEST_CASE("an engine that goes away ends every turn") {
  std::shared_ptr<Heard> running, waiting;
  {
    EngineOptions options;
    options.most_running = 1;
    Engine engine(nano(), options);
    TurnRequest turn = turn_of(engine, chat("", "Tell me everything."), 100000);
    turn.endless = true;
    running = start(engine, std::move(turn));
    running->wait_for_tokens(1);
    waiting = start(engine, turn_of(engine, chat("", "Me too."), 10));
  }
  running->end();
  CHECK(waiting->end() == TurnEnd::kCancelled);
}

}  // namespace dsv4::llm::serve
