// One turn, token by token through the guide, as a conversation uses it.

#include "llm/bench/guide.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/call_guide.h"
#include "llm/session.h"
#include "llm/tokenizer.h"

namespace dsv4::llm::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

constexpr const char kUsage[] =
    "usage: dsv4-bench guide --tokenizer DIR [--model DIR] [--choices N] [--threads N]\n"
    "Follows a turn of text and calls token by token and prints a line for each kind of place:\n"
    "the microseconds a token that finding out and masking what may come next takes and, with a\n"
    "model, their share of a decode step. Values from a list have N (default 500) to choose "
    "from.\n";

constexpr int kRounds = 200;

struct Options {
  std::string tokenizer;
  std::string model;
  int choices = 500;
  int threads = 0;
};

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  for (int i = 0; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--tokenizer") {
      options.tokenizer = argv[i + 1];
    } else if (name == "--model") {
      options.model = argv[i + 1];
    } else if (name == "--choices") {
      options.choices = std::atoi(argv[i + 1]);
    } else if (name == "--threads") {
      options.threads = std::atoi(argv[i + 1]);
    } else {
      return std::nullopt;
    }
  }
  if (options.tokenizer.empty()) options.tokenizer = options.model;
  const bool sane = argc % 2 == 0 && !options.tokenizer.empty() && options.choices > 0;
  return sane ? std::optional(options) : std::nullopt;
}

std::vector<Json> tools() {
  return {Json::parse(R"({"name":"read","parameters":{"properties":{
            "path":{"type":"string"},"first":{"type":"integer"}},"required":[]}})"),
          Json::parse(R"({"name":"edit","parameters":{"properties":{
            "symbol":{"type":"string"},"old":{"type":"string"},"new":{"type":"string"}},
            "required":["new"]}})"),
          Json::parse(R"({"name":"plan","parameters":{"properties":{
            "items":{"type":"array","items":{"type":"string"}}},"required":["items"]}})")};
}

ArgumentChoices choices_of(int count) {
  std::vector<std::string> symbols{"clamp_low"};
  std::vector<std::string> blocks{"if value < low:\n        return value"};
  for (int i = 1; i < count; ++i) {
    const std::string name = "name" + std::to_string(i * 7919 % 10007);
    symbols.push_back(name + "_of");
    blocks.push_back("if " + name + " < low:\n        return " + name);
  }
  return [symbols, blocks](const std::vector<std::string>&, const std::string&,
                           const std::string& parameter,
                           const Json&) -> std::optional<std::vector<std::string>> {
    if (parameter == "symbol") return symbols;
    if (parameter == "old") return blocks;
    return std::nullopt;
  };
}

struct Part {
  const char* kind;
  Segment text;
};

std::vector<Part> turn() {
  const auto opening = [](const std::string& name, bool text) {
    return "<｜DSML｜parameter name=\"" + name + "\" string=\"" + (text ? "true" : "false") + "\">";
  };
  const std::string ended = "</｜DSML｜parameter>\n";
  return {
      {"text",
       {"The last branch compares with the wrong bound: where `value` is below `low` it must be "
        "raised to it, as the <b>issue</b> says, and a test that is < 3 shows it.",
        false}},
      {"scaffold",
       {"\n\n<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"edit\">\n" + opening("symbol", true),
        true}},
      {"value from a list", {"clamp_low", false}},
      {"scaffold", {ended + opening("old", true), true}},
      {"value from a list", {"if value < low:\n        return value", false}},
      {"scaffold", {ended + opening("new", true), true}},
      {"free value",
       {"if value < low:\n        return low\n    # not a </div>, nor a < b\n    for i in "
        "range(3):\n"
        "        total += i * value\n",
        false}},
      {"scaffold",
       {ended + "</｜DSML｜invoke>\n<｜DSML｜invoke name=\"plan\">\n" + opening("items", false),
        true}},
      {"json", {"[\"read the function\", \"raise \\\"value\\\"\", \"test\"]", false}},
      {"scaffold", {ended + "</｜DSML｜invoke>\n</｜DSML｜tool_calls>", true}},
  };
}

struct Cost {
  int64_t tokens = 0;
  int64_t forced = 0;  // of them, the ones that need no step at all
  double seconds = 0;  // medians, summed
  double first = 0;    // of the first round, in which nothing is known from earlier turns
};

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// What a conversation does for each token beside computing and drawing it.
class Follower {
 public:
  Follower(const Tokenizer& tokenizer, int choices)
      : tokenizer_(tokenizer),
        table_(tokenizer),
        logits_(static_cast<size_t>(tokenizer.size())),
        guide_(tools(), choices_of(choices)) {}

  std::map<std::string, Cost> run() {
    std::vector<std::pair<const char*, int32_t>> ids;
    for (const Part& part : turn()) {
      for (const int32_t id : tokenizer_.encode({&part.text, 1})) ids.emplace_back(part.kind, id);
    }
    std::vector<std::vector<double>> seconds(ids.size());
    std::vector<bool> forced(ids.size());
    for (int round = 0; round < kRounds; ++round) {
      guide_.begin_turn();
      size_t certain = 0;  // that were forced with an earlier one
      for (size_t i = 0; i < ids.size(); ++i) {
        const auto begin = Clock::now();
        if (certain == 0) certain = forced_ids(tokenizer_, guide_.forced()).size();
        forced[i] = certain > 0;
        if (certain > 0) {
          --certain;
        } else {
          guide_.mask(table_, mask_);
          apply_mask(mask_, guide_.may_end(), 1, logits_, masked_);
        }
        guide_.accept(tokenizer_.bytes(ids[i].second));
        seconds[i].push_back(std::chrono::duration<double>(Clock::now() - begin).count());
      }
    }
    std::map<std::string, Cost> costs;
    for (size_t i = 0; i < ids.size(); ++i) {
      for (const char* kind : {ids[i].first, "all"}) {
        Cost& cost = costs[kind];
        ++cost.tokens;
        if (forced[i]) ++cost.forced;
        std::vector<double> times = seconds[i];
        cost.first += times.front();
        cost.seconds += median(times);
      }
    }
    return costs;
  }

 private:
  const Tokenizer& tokenizer_;
  TokenTable table_;
  std::vector<float> logits_, masked_;
  TokenMask mask_;
  CallGuide guide_;
};

// The median time of one id after 1,000 others.
double step_seconds(const Options& options) {
  const std::shared_ptr<const Model> model = Model::open(options.model);
  kernels::ThreadPool pool(options.threads);
  SessionOptions plain;
  plain.draft = false;
  Session session(model, pool, plain);
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < 1000; ++i) {
    ids.push_back(static_cast<int32_t>(i * 7919 % model->config().vocab_size));
  }
  session.append(ids);
  std::vector<double> seconds;
  for (int i = 0; i < kRounds; ++i) {
    const auto begin = Clock::now();
    session.append_sampled(ids[static_cast<size_t>(i)]);
    seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return median(seconds);
}

}  // namespace

int run_guide(int argc, char** argv) {
  const std::optional<Options> options = parse(argc, argv);
  if (!options) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  const Tokenizer tokenizer = Tokenizer::load(options->tokenizer);
  const double step = options->model.empty() ? 0 : step_seconds(*options);
  for (const auto& [kind, cost] : Follower(tokenizer, options->choices).run()) {
    const double each = cost.seconds / static_cast<double>(cost.tokens);
    Json row = {{"bench", "guide"},
                {"kind", kind},
                {"vocabulary", tokenizer.size()},
                {"tokens", cost.tokens},
                {"forced", cost.forced},
                {"us_token", std::round(each * 1e8) / 100},
                {"us_token_first_turn",
                 std::round(cost.first / static_cast<double>(cost.tokens) * 1e8) / 100}};
    if (step > 0) {
      row["us_step"] = std::round(step * 1e7) / 10;
      row["share"] = std::round(each / step * 1e5) / 1e5;
    }
    std::printf("%s\n", row.dump().c_str());
  }
  return 0;
}

}  // namespace dsv4::llm::bench
