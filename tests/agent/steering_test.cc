// A server that can be steered, and a client that steers it: together they say what a model of this
// process says.
#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "agent/prompt.h"
#include "llm/call_guide.h"
#include "llm/remote_conversation.h"
#include "llm/serve/chat_prompt.h"
#include "llm/serve/chat_response.h"
#include "llm/serve/engine.h"
#include "tests/catch.h"
#include "tests/llm/chat_server.h"
#include "tools/registry.h"

namespace dsv4::llm::serve {
namespace {

namespace agent = dsv4::agent;
namespace tools = dsv4::tools;

using chat_server::Act;
using chat_server::Transport;
using nlohmann::ordered_json;

constexpr const char* kModel = DSV4_SOURCE_DIR "/llm/nano/model";

// Everything that one turn has told.
class Told : public TurnSink {
 public:
  void begun(const TurnUsage&) override {}
  void more(Delta delta, const TurnUsage&) override {
    all.reasoning += delta.reasoning;
    all.content += delta.content;
    for (CallPiece& piece : delta.pieces) all.pieces.push_back(std::move(piece));
    for (SaidToken& token : delta.tokens) all.tokens.push_back(std::move(token));
  }
  void asks(const std::vector<ArgumentPlace>& asked) override { places = asked; }
  void ended(TurnEnd how, const TurnUsage& used, const std::string&) override {
    const std::lock_guard lock(mutex_);
    usage = used;
    end = how;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return end.has_value(); });
  }

  Delta all;
  std::vector<ArgumentPlace> places;
  TurnUsage usage;
  std::optional<TurnEnd> end;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

// The server, without sockets.
struct Server {
  Server()
      : engine(open_for_conversations(kModel, {}), {}),
        transport(std::make_shared<Transport>([this](const ordered_json& json) {
          return Act{200, answer(json), false};
        })) {}

  std::string answer(const ordered_json& json) {
    const ChatRequest request = parse_chat_request(json.dump());
    TurnRequest turn;
    turn.prompt = chat_prompt(request, false, engine.model().tokenizer, engine.said());
    turn.sampling = request.generation.sampling;
    turn.max_tokens = *request.generation.max_tokens;
    turn.remember = true;
    turn.tools = guide_schemas(request.tools);
    turn.prefix = request.prefix;
    turn.choices = request.choices;
    turn.top_tokens = request.top_tokens;
    const auto told = std::make_shared<Told>();
    turn.sink = told;
    engine.submit(std::move(turn));
    told->wait();
    ResponseWriter writer(ResponseWriter::Kind::kChat, "x", 0, "nano", true, request.tokens_as_ids);
    return "data: " + writer.more(told->all) +
           "\n\ndata: " + writer.last(*told->end, told->places) +
           "\n\ndata: " + writer.usage(told->usage) + "\n\ndata: [DONE]\n\n";
  }

  Engine engine;
  std::shared_ptr<Transport> transport;
};

constexpr const char* kPrices =
    "def band(price):\n    if price < 10:\n        return 'low'\n    if price < 100:\n"
    "        return 'middle'\n    return 'high'\n";
constexpr const char* kTest =
    "from prices import band\n\nassert band(5) == 'low'\nassert band(100) == 'middle'\n";

std::optional<std::vector<std::string>> choices(const std::vector<std::string>& earlier,
                                                const std::string& tool,
                                                const std::string& parameter,
                                                const ordered_json& arguments) {
  if (tool != "edit" && tool != "read") return std::nullopt;
  if (parameter == "path") return std::vector<std::string>{"prices.py", "test_prices.py"};
  if (parameter == "symbol") return std::vector<std::string>{"band"};
  if (parameter != "old" || !earlier.empty() || arguments.empty()) return std::nullopt;
  return std::vector<std::string>{"if price < 10:", "if price < 100:", "return 'middle'"};
}

std::string described(const Reply& reply) {
  std::string out = reply.content;
  for (const ToolCall& call : reply.calls) out += '|' + call.name + call.arguments.dump();
  return out;
}

// Two turns of which the first `refused` are taken back; every turn in order, those too.
std::vector<std::string> turns_of(Conversation& conversation, int refused, int64_t* again) {
  std::vector<ordered_json> schemas;
  for (const tools::Tool& tool : tools::registry()) schemas.push_back(tools::schema(tool, false));
  CallGuide guide(schemas, choices);
  std::vector<std::string> turns;
  agent::RepositoryContext repository;
  repository.files = {{"prices.py", kPrices, false}, {"test_prices.py", kTest, false}};
  conversation.system(agent::system_text(), schemas);
  conversation.user(agent::repository_text(repository));
  conversation.user(agent::task_text("# A price of exactly 100 is in the middle band\n",
                                     "python3 test_prices.py", false,
                                     "The tests fail: exit status 1.\nAssertionError\n"));
  for (int turn = 0; turn < 2; ++turn) {
    int left = refused;
    ReplyOptions options;
    options.sampling.temperature = 0;
    options.max_tokens = 200;
    options.guide = &guide;
    options.taken_back_tokens = 100000;
    options.refuse = [&](const Reply& reply) -> std::optional<std::string> {
      turns.push_back(described(reply));
      if (left-- > 0) return "it leads nowhere";
      return std::nullopt;
    };
    const Reply reply = conversation.reply(options);
    turns.push_back("stands: " + described(reply));
    const std::vector<std::string> results(reply.calls.size(), "done");
    if (results.empty()) conversation.user("Go on.");
    if (!results.empty()) conversation.tool_results(results);
  }
  *again = conversation.usage().reprefilled;
  return turns;
}

}  // namespace

TEST_CASE(
    "a server that is steered says what the model says in this process, and takes back alike") {
  for (const int refused : {0, 1, 12}) {
    CAPTURE(refused);
    Server server;
    RemoteOptions options;
    options.model = "nano";
    options.window = server.engine.model().window;
    options.steered = true;
    RemoteConversation remote(server.transport, options);
    int64_t again = 0;
    const auto there = turns_of(remote, refused, &again);
    const auto here = turns_of(*open_local(kModel), refused, &again);
    CHECK(there == here);
    CHECK(there.size() > static_cast<size_t>(refused + 3));  // unless no other turn is left
    const bool chose = std::any_of(there.begin(), there.end(), [](const std::string& turn) {
      return turn.find("|edit{") != std::string::npos && turn.find("band") != std::string::npos;
    });
    CAPTURE(there);
    CHECK(chose);
  }
}

TEST_CASE("without its own fields a server is asked as any other, and is not steered") {
  Server server;
  RemoteOptions options;
  options.model = "nano";
  options.window = server.engine.model().window;
  RemoteConversation remote(server.transport, options);
  int64_t again = 0;
  turns_of(remote, 0, &again);
  for (const ordered_json& request : server.transport->requests) {
    CHECK_FALSE(request.contains("prefix_token_ids"));
    CHECK_FALSE(request.contains("argument_choices"));
    CHECK_FALSE(request.contains("logprobs"));
  }
}

}  // namespace dsv4::llm::serve
