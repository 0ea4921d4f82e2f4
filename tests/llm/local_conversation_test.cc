#include "llm/local_conversation.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "llm/call_guide.h"
#include "llm/error.h"
#include "llm/scripted_conversation.h"
#include "tests/catch.h"

namespace dsv4::llm {
namespace {

std::shared_ptr<const LocalModel> tiny_model(int64_t window) {
  std::ifstream in(DSV4_SOURCE_DIR "/tests/llm/fixtures/tiny_tokenizer.json", std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  Tokenizer tokenizer = Tokenizer::parse(text.str());
  const int32_t end = *tokenizer.added_token(marker::kEnd);
  return std::make_shared<LocalModel>(LocalModel{std::move(tokenizer), "tiny", window, end});
}

// Says the turns it was given, one after the other: the next id depends on the ids so far alone, as
// a real model's does.
class Reciter : public TokenSequence {
 public:
  Reciter(std::shared_ptr<const LocalModel> model, std::vector<std::vector<int32_t>> turns,
          float certainty)
      : model_(std::move(model)), turns_(std::move(turns)), certainty_(certainty) {}

  bool append(std::span<const int32_t> ids, const PrefillProgress& progress,
              std::stop_token stop) override {
    for (size_t i = 0; i < ids.size(); ++i) {
      if (stop.stop_requested()) return false;
      ids_.push_back(ids[i]);
      if (progress) progress(static_cast<int64_t>(i) + 1, static_cast<int64_t>(ids.size()));
    }
    return true;
  }

  std::span<const float> logits() const override {
    ++looked_;
    const int32_t assistant = *model_->tokenizer.added_token(marker::kAssistant);
    const auto last = std::find(ids_.rbegin(), ids_.rend(), assistant);
    const auto said = static_cast<size_t>(last - ids_.rbegin()) - 1;  // after <think> or </think>
    const auto turn = static_cast<size_t>(std::count(ids_.begin(), ids_.end(), assistant)) - 1;
    logits_.assign(static_cast<size_t>(model_->tokenizer.size()), 0.0f);
    const auto& words = turns_.at(turn);
    logits_[static_cast<size_t>(said < words.size() ? words[said] : model_->end_id)] = certainty_;
    return logits_;
  }

  int64_t position() const override { return static_cast<int64_t>(ids_.size()); }
  std::unique_ptr<TokenSequence> fork() const override { return std::make_unique<Reciter>(*this); }

  std::vector<int32_t> ids(int64_t from) const override {
    return {ids_.begin() + static_cast<std::ptrdiff_t>(from), ids_.end()};
  }
  int64_t looked() const { return looked_; }

 private:
  std::shared_ptr<const LocalModel> model_;
  std::vector<std::vector<int32_t>> turns_;
  float certainty_;  // the logit of what it says; all others have 0
  std::vector<int32_t> ids_;
  mutable std::vector<float> logits_;
  mutable int64_t looked_ = 0;  // how often somebody asked for logits
};

// A conversation and a look at the ids that its model was given.
struct Fixture {
  explicit Fixture(const std::vector<std::string>& turns, int64_t window = 4096,
                   float certainty = 100.0f)
      : model(tiny_model(window)) {
    std::vector<std::vector<int32_t>> ids;
    for (const std::string& turn : turns) ids.push_back(model->tokenizer.encode_markup(turn));
    auto sequence = std::make_unique<Reciter>(model, ids, certainty);
    reciter = sequence.get();
    conversation = std::make_unique<LocalConversation>(model, std::move(sequence),
                                                       PromptBuilder(false, Effort::kNormal));
  }
  std::string seen() const { return model->tokenizer.decode(reciter->ids(0)); }

  std::shared_ptr<const LocalModel> model;
  const Reciter* reciter;
  std::unique_ptr<LocalConversation> conversation;
};

const std::string kCall =
    "\n\n<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"test\">\n</｜DSML｜invoke>\n"
    "</｜DSML｜tool_calls>";

}  // namespace

TEST_CASE("a local conversation computes each token of its context once") {
  Fixture f({kCall, "done"});
  f.conversation->system("Repair it.", {});
  f.conversation->user("hello ");
  REQUIRE(f.conversation->prefill({}, {}));
  const int64_t shared = f.conversation->usage().prefilled;
  REQUIRE(shared == f.reciter->position());
  f.conversation->user("world");
  std::string streamed;
  ReplyOptions options;
  options.on_text = [&](std::string_view text) { streamed += text; };
  const Reply reply = f.conversation->reply(options);
  REQUIRE(reply.finish == Finish::kStop);
  REQUIRE(reply.calls.at(0).name == "test");
  REQUIRE(streamed == kCall);
  REQUIRE(reply.raw == kCall + std::string(marker::kEnd));
  const std::vector<std::string> results{"The tests pass."};
  f.conversation->tool_results(results);
  REQUIRE(f.conversation->reply({}).content == "done");
  REQUIRE(f.conversation->prefill({}, {}));  // the last end marker
  REQUIRE(f.seen() ==
          "<｜begin▁of▁sentence｜>Repair it.<｜User｜>hello world<｜Assistant｜></think>" + kCall +
              "<｜end▁of▁sentence｜><｜User｜><tool_result>The tests pass.</tool_result>"
              "<｜Assistant｜></think>done<｜end▁of▁sentence｜>");
  const Usage usage = f.conversation->usage();
  REQUIRE(usage.context == f.reciter->position());
  REQUIRE(usage.prefilled + usage.generated == usage.context);
  REQUIRE(usage.reprefilled == 0);
}

TEST_CASE("the context of a local conversation is the scripted one's") {
  Fixture f({kCall, "done"});
  ScriptedConversation scripted([&](std::span<const RecordedSegment>, const ReplyOptions&) {
    Reply reply;
    reply.raw = kCall;
    return reply;
  });
  for (Conversation* conversation :
       {static_cast<Conversation*>(f.conversation.get()), static_cast<Conversation*>(&scripted)}) {
    conversation->system("Repair <think> it.", {{{"name", "test"}}});
    conversation->user("one <｜User｜>");
    (void)conversation->reply({});
    conversation->user("two");
  }
  REQUIRE(f.conversation->prefill({}, {}));
  std::vector<int32_t> ids;
  std::vector<Segment> append;
  const auto& recorded = scripted.segments();
  for (size_t i = 0; i < recorded.size(); ++i) {
    append.push_back({recorded[i].text, recorded[i].markup});
    if (i + 1 == recorded.size() || recorded[i + 1].append != recorded[i].append) {
      const auto more = f.model->tokenizer.encode(append);
      ids.insert(ids.end(), more.begin(), more.end());
      append.clear();
    }
  }
  REQUIRE(f.reciter->ids(0) == ids);
}

TEST_CASE("forks share what was computed and then part") {
  Fixture f({"first"});
  f.conversation->user("hello");
  REQUIRE(f.conversation->prefill({}, {}));
  const auto fork = f.conversation->fork();
  fork->user(" world");
  REQUIRE(fork->reply({}).content == "first");
  REQUIRE(f.conversation->usage().context < fork->usage().context);
  REQUIRE(f.conversation->reply({}).content == "first");
}

TEST_CASE("a cancelled prompt or turn leaves a conversation that goes on") {
  Fixture f({"hello hello", "", "end"});
  f.conversation->user("go");
  std::stop_source during_prefill;
  const auto stop_at_once = [&](int64_t, int64_t) { during_prefill.request_stop(); };
  REQUIRE_FALSE(f.conversation->prefill(stop_at_once, during_prefill.get_token()));
  REQUIRE(f.reciter->position() == 1);

  std::stop_source stop;
  ReplyOptions options;
  options.cancel = stop.get_token();
  options.on_text = [&](std::string_view) { stop.request_stop(); };
  const Reply cut = f.conversation->reply(options);
  REQUIRE(cut.finish == Finish::kCancelled);
  REQUIRE(cut.raw == "hello");
  f.conversation->user("again");
  REQUIRE(f.conversation->reply({}).content.empty());
  REQUIRE(f.seen().find("</think>hello<｜end▁of▁sentence｜><｜User｜>again<｜Assistant｜>") !=
          std::string::npos);
}

TEST_CASE("a turn ends at its limit of tokens") {
  Fixture f({"hello hello hello"});
  f.conversation->user("go");
  ReplyOptions options;
  options.max_tokens = 2;
  const Reply reply = f.conversation->reply(options);
  REQUIRE(reply.finish == Finish::kLength);
  REQUIRE(reply.tokens == 2);
}

TEST_CASE("a context over the window is refused in a sentence and left as it was") {
  Fixture f({"hello hello hello hello"}, 12);
  f.conversation->user("go");
  const int64_t before = f.conversation->usage().context;
  try {
    f.conversation->user("a much longer part");
    FAIL("the part was taken");
  } catch (const Error& error) {
    const std::string message = error.what();
    INFO(message);
    REQUIRE(message.find("the context is full") != std::string::npos);
    REQUIRE(message.find("reads 12") != std::string::npos);
  }
  REQUIRE(f.conversation->usage().context == before);
  const Reply reply = f.conversation->reply({});
  REQUIRE(reply.finish == Finish::kLength);
  REQUIRE(f.conversation->usage().context == 12);
}

TEST_CASE("a turn that is taken back leaves no trace, and the next best one takes its place") {
  Fixture f({"hello", "end"}, 4096, 9.0f);
  f.conversation->user("go");
  std::vector<std::string> taken_back;
  std::string streamed;
  ReplyOptions options;
  options.sampling.temperature = 0.0;
  options.on_text = [&](std::string_view text) { streamed += text; };
  options.refuse = [](const Reply& reply) {
    return reply.content == "hello" ? std::optional<std::string>("it was said before")
                                    : std::nullopt;
  };
  options.on_taken_back = [&](const Reply& reply, const std::string& reason) {
    taken_back.push_back(reply.content + ": " + reason);
  };
  // The reciter's second choice is as good as any other: what counts is that it is another one.
  const Reply reply = f.conversation->reply(options);
  REQUIRE(taken_back == std::vector<std::string>{"hello: it was said before"});
  REQUIRE(reply.content != "hello");
  REQUIRE(streamed.starts_with("hello"));
  REQUIRE(f.conversation->usage().reprefilled == 0);
  f.conversation->user("on");
  REQUIRE(f.conversation->prefill({}, {}));
  REQUIRE(f.conversation->usage().context == f.conversation->usage().prefilled + reply.tokens);
}

TEST_CASE("when every turn is refused the last one stands, within the tokens allowed for it") {
  Fixture f({"hello"}, 4096, 9.0f);
  f.conversation->user("go");
  ReplyOptions options;
  options.sampling.temperature = 0.0;
  int refused = 0;
  options.refuse = [&](const Reply&) {
    ++refused;
    return std::optional<std::string>("nothing is right");
  };
  options.taken_back_tokens = 5;
  options.max_tokens = 3;
  const Reply reply = f.conversation->reply(options);
  REQUIRE(refused >= 2);
  REQUIRE(refused <= 5);
  REQUIRE(reply.tokens > 0);
}

TEST_CASE("what a guide leaves no choice about is said without being computed first") {
  const std::string opening = "\n\n<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"edit\">\n";
  const std::string rest =
      "<｜DSML｜parameter name=\"symbol\" string=\"true\">hello</｜DSML｜parameter>\n"
      "<｜DSML｜parameter name=\"count\" string=\"false\">12</｜DSML｜parameter>\n"
      "</｜DSML｜invoke>\n</｜DSML｜tool_calls>";
  Fixture f({opening + rest, "done"});
  const std::vector<nlohmann::ordered_json> tools{nlohmann::ordered_json::parse(
      R"({"name":"edit","parameters":{"properties":{"symbol":{"type":"string"},
          "count":{"type":"integer"}},"required":["symbol","count"]}})")};
  CallGuide guide(tools, [](const auto&, const auto&, const std::string& parameter, const auto&) {
    using Values = std::vector<std::string>;
    return parameter == "symbol" ? std::optional(Values{"hello"}) : std::nullopt;
  });
  f.conversation->system("Repair it.", {});
  f.conversation->user("go");
  std::string streamed;
  ReplyOptions options;
  options.guide = &guide;
  options.on_text = [&](std::string_view text) { streamed += text; };
  const Reply reply = f.conversation->reply(options);
  REQUIRE(reply.finish == Finish::kStop);
  REQUIRE(streamed == opening + rest);
  REQUIRE(reply.calls.at(0).arguments ==
          nlohmann::ordered_json{{"symbol", "hello"}, {"count", 12}});
  // The sampled ones: those that open the block, name the tool, and write the number.
  const int64_t looked = f.reciter->looked();
  REQUIRE(looked < reply.tokens);
  REQUIRE(f.conversation->usage().generated == reply.tokens);
  f.conversation->user("on");
  REQUIRE(f.conversation->reply({}).content == "done");
  REQUIRE(f.conversation->prefill({}, {}));
  REQUIRE(f.seen().find("</think>" + opening + rest + "<｜end▁of▁sentence｜><｜User｜>on") !=
          std::string::npos);
  const Usage usage = f.conversation->usage();
  REQUIRE(usage.prefilled + usage.generated == usage.context);
}

TEST_CASE("forced text keeps to the limit of tokens and can be taken back") {
  const std::string call =
      "\n\n<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"test\">\n</｜DSML｜invoke>\n"
      "</｜DSML｜tool_calls>";
  Fixture f({call}, 4096, 9.0f);
  const std::vector<nlohmann::ordered_json> tools{nlohmann::ordered_json::parse(
      R"({"name":"test","parameters":{"properties":{},"required":[]}})")};
  CallGuide guide(tools, {});
  f.conversation->user("go");
  ReplyOptions options;
  options.sampling.temperature = 0.0;
  options.guide = &guide;
  std::vector<std::string> refused;
  options.refuse = [&](const Reply& reply) {
    refused.push_back(reply.raw);
    return refused.size() < 2 ? std::optional<std::string>("once more") : std::nullopt;
  };
  const auto short_fork = f.conversation->fork();
  const Reply reply = f.conversation->reply(options);
  REQUIRE(refused.size() == 2);
  REQUIRE(refused[0] == call + std::string(marker::kEnd));
  REQUIRE(refused[1] != refused[0]);
  REQUIRE(f.conversation->usage().reprefilled == 0);

  options.refuse = {};
  options.max_tokens = 12;
  const Reply cut = short_fork->reply(options);
  REQUIRE(cut.tokens == 12);
  REQUIRE(cut.finish == Finish::kLength);
  REQUIRE(call.starts_with(cut.raw));
}

TEST_CASE("a conversation that begins like an earlier one computes nothing twice") {
  const std::filesystem::path model = DSV4_SOURCE_DIR "/llm/nano/model";
  std::string name = (std::filesystem::temp_directory_path() / "dsv4-kept-XXXXXX").string();
  LocalOptions options;
  options.sessions = ::mkdtemp(name.data());
  options.threads = 2;
  ReplyOptions short_reply;
  short_reply.sampling.temperature = 0.0;
  short_reply.max_tokens = 12;
  const auto begin = [&](const LocalOptions& with) {
    auto conversation = open_local(model, with);
    conversation->system("You repair programs.", {});
    conversation->user("The repository holds one file.");
    REQUIRE(conversation->prefill({}, {}));
    return conversation;
  };
  const auto first = begin(options);
  REQUIRE(first->usage().restored == 0);
  first->keep();
  const auto second = begin(options);
  REQUIRE(second->usage().restored == first->usage().context);
  REQUIRE(second->usage().prefilled == 0);
  second->user("Go on.");
  const auto alone = begin({});
  alone->user("Go on.");
  REQUIRE(second->reply(short_reply).raw == alone->reply(short_reply).raw);
  REQUIRE(second->usage().reprefilled == 0);
  std::filesystem::remove_all(*options.sessions);
}

}  // namespace dsv4::llm
