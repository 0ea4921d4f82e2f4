// Whatever a model thinks, what it says through the guide are calls that the tools take.
#include <algorithm>
#include <fstream>
#include <sstream>

#include "llm/call_guide.h"
#include "llm/encoding.h"
#include "llm/encoding_prompt.h"
#include "llm/local_conversation.h"
#include "tests/catch.h"
#include "tools/error.h"
#include "tools/registry.h"

namespace llm = dsv4::llm;
namespace tools = dsv4::tools;
using Json = nlohmann::ordered_json;

namespace {

uint64_t mixed(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// A model without any sense: its logits are noise, with a liking for tokens that get it into a call
// and through it, without which it would talk until the window is full.
class Noise : public llm::TokenSequence {
 public:
  Noise(const llm::LocalModel& model, uint64_t seed) : state_(seed) {
    const auto size = static_cast<size_t>(model.tokenizer.size());
    liking_.resize(size);
    for (size_t id = 0; id < size; ++id) {
      const std::string_view bytes = model.tokenizer.bytes(static_cast<int32_t>(id));
      const bool tag = bytes.find("DSML") != std::string_view::npos;
      const bool closes = bytes == "\"" || bytes == "]" || bytes == "}" || bytes == "</";
      liking_[id] = tag ? 5.0f : closes ? 3.0f : 0.0f;
    }
    logits_.resize(size);
  }

  bool append(std::span<const int32_t> ids, const llm::PrefillProgress&, std::stop_token) override {
    ids_.insert(ids_.end(), ids.begin(), ids.end());
    for (const int32_t id : ids) state_ = mixed(state_ ^ static_cast<uint64_t>(id));
    uint64_t random = state_;
    for (size_t id = 0; id < logits_.size(); ++id) {
      random = mixed(random);
      logits_[id] = liking_[id] + 6.0f * static_cast<float>(random >> 40) / (1 << 24);
    }
    return true;
  }
  std::span<const float> logits() const override { return logits_; }
  int64_t position() const override { return static_cast<int64_t>(ids_.size()); }
  std::unique_ptr<llm::TokenSequence> fork() const override {
    return std::make_unique<Noise>(*this);
  }
  std::vector<int32_t> ids(int64_t from) const override {
    return {ids_.begin() + static_cast<std::ptrdiff_t>(from), ids_.end()};
  }

 private:
  uint64_t state_;
  std::vector<float> liking_;
  std::vector<float> logits_;
  std::vector<int32_t> ids_;
};

llm::Tokenizer tiny_tokenizer() {
  std::ifstream in(DSV4_SOURCE_DIR "/tests/llm/fixtures/tiny_tokenizer.json", std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return llm::Tokenizer::parse(text.str());
}

std::shared_ptr<const llm::LocalModel> model_with(llm::Tokenizer tokenizer) {
  const int32_t end = *tokenizer.added_token(llm::marker::kEnd);
  return std::make_shared<llm::LocalModel>(std::move(tokenizer), "noise", 1 << 20, end);
}

std::optional<std::vector<std::string>> some_choices(const std::vector<std::string>& earlier,
                                                     const std::string&,
                                                     const std::string& parameter,
                                                     const Json& arguments) {
  using Values = std::vector<std::string>;
  if (parameter == "path" && earlier.empty()) return Values{"src/range.py", "src/größe.py", "a"};
  if (parameter == "symbol" && arguments.contains("path")) return Values{"clamp", "clamp_low"};
  return std::nullopt;
}

// The calls of a turn, each held against its tool's parameters. How many there were.
size_t check_calls(const llm::Reply& reply) {
  static const std::vector<tools::Tool> kTools = tools::registry();
  INFO(reply.raw);
  if (reply.malformed) FAIL(*reply.malformed);
  for (const llm::ToolCall& call : reply.calls) {
    const auto tool = std::find_if(kTools.begin(), kTools.end(),
                                   [&](const tools::Tool& t) { return call.name == t.name; });
    REQUIRE(tool != kTools.end());
    REQUIRE_NOTHROW(tools::check_arguments(*tool, call.arguments));
  }
  return reply.calls.size();
}

}  // namespace

TEST_CASE("no noise in a model makes a call that the tools would not take") {
  std::vector<Json> schemas;
  for (const tools::Tool& tool : tools::registry()) schemas.push_back(tools::schema(tool, false));
  const auto nano = model_with(llm::Tokenizer::load(DSV4_SOURCE_DIR "/llm/nano/model"));
  const auto tiny = model_with(tiny_tokenizer());
  size_t calls = 0;
  size_t whole = 0;
  for (uint64_t seed = 0; seed < 600; ++seed) {
    INFO("seed " << seed);
    const auto& model = seed % 2 == 0 ? nano : tiny;
    const bool thinking = seed % 8 > 5;
    llm::CallGuide guide(schemas, seed % 4 < 2 ? some_choices : llm::ArgumentChoices());
    llm::LocalConversation conversation(model, std::make_unique<Noise>(*model, seed),
                                        llm::PromptBuilder(thinking, llm::Effort::kNormal));
    conversation.user("go");
    llm::ReplyOptions options;
    options.sampling.temperature = seed % 3 == 0 ? 0.0 : 1.0;
    options.sampling.seed = seed;
    options.max_tokens = 2000;
    options.guide = &guide;
    const llm::Reply reply = conversation.reply(options);
    if (reply.finish != llm::Finish::kStop) continue;  // cut at the limit of tokens
    ++whole;
    calls += check_calls(reply);
  }
  REQUIRE(whole > 300);
  REQUIRE(calls > 300);
}
