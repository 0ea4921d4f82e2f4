// The same ids fed to a session that guesses ahead and to one that does not, in turns.

#include "llm/bench/draft.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "llm/error.h"
#include "llm/sampler.h"
#include "llm/session.h"
#include "llm/tokenizer.h"

namespace dsv4::llm::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

constexpr const char kUsage[] =
    "usage: dsv4-bench draft --model DIR [--text FILE]... [--turns FILE]... [--tokens N]\n"
    "       [--always yes] [--threads N]\n"
    "Says ids one by one with guesses and without, in turns of 32, and prints a line for each "
    "kind\n"
    "of text: `fresh`, the file's own text; `edit`, the text again with a line in twelve changed,\n"
    "after the file itself; `turns`, what the assistant says in transcripts (JSON lines of "
    "segments\n"
    "with text, markup and role, as llm.nano.tasks writes them), everything else being read; and\n"
    "`greedy` and `sampled`, N ids (default 2000) that the model says by itself. Before them, "
    "what\n"
    "ids computed at once cost beside one alone. --always guesses where it does not pay, too.\n";

struct Options {
  std::string model;
  std::vector<std::string> texts;
  std::vector<std::string> transcripts;
  int64_t tokens = 2000;
  int threads = 0;
  bool always = false;
};

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  for (int i = 0; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const char* value = argv[i + 1];
    if (name == "--model") {
      options.model = value;
    } else if (name == "--text") {
      options.texts.emplace_back(value);
    } else if (name == "--turns") {
      options.transcripts.emplace_back(value);
    } else if (name == "--tokens") {
      options.tokens = std::atoll(value);
    } else if (name == "--threads") {
      options.threads = std::atoi(value);
    } else if (name == "--always") {
      options.always = std::string_view(value) == "yes";
    } else {
      return std::nullopt;
    }
  }
  const bool sane = argc % 2 == 0 && !options.model.empty() && options.tokens > 0;
  return sane ? std::optional(options) : std::nullopt;
}

std::string read_text(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error("cannot read " + file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Every twelfth line with a word more, as somebody who edits the file would write it again.
std::string edited(const std::string& text) {
  std::string out;
  int line = 0;
  for (const char c : text) {
    if (c == '\n' && ++line % 12 == 0) out += " changed " + std::to_string(line);
    out += c;
  }
  return out;
}

using Chooser = std::function<int32_t(std::span<const float>)>;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// The same said by a session that guesses and by one that does not.
class Race {
 public:
  Race(const std::shared_ptr<const Model>& model, kernels::ThreadPool& pool, bool always) {
    SessionOptions options;
    options.draft = false;
    plain_base_ = std::make_unique<Session>(model, pool, options);
    options.draft = true;
    options.draft_always = always;
    drafting_base_ = std::make_unique<Session>(model, pool, options);
    begin();
  }

  // Both from the beginning, with what guessing has learned; the figures go on.
  void begin() {
    if (drafting_) count();
    plain_ = plain_base_->fork();
    drafting_ = drafting_base_->fork();
  }

  void read(std::span<const int32_t> ids) {
    plain_->append(ids);
    drafting_->append(ids);
  }

  // `count` ids; each session has a chooser of its own, which gets its logits.
  void say(int64_t count, const Chooser& plain, const Chooser& drafting) {
    constexpr int64_t kTurn = 32;
    for (int64_t done = 0; done < count; done += kTurn) {
      const int64_t n = std::min(kTurn, count - done);
      const auto said = [n](Session& session, const Chooser& next, double& seconds) {
        std::vector<int32_t> ids;
        const Clock::time_point begin = Clock::now();
        for (int64_t i = 0; i < n; ++i) {
          ids.push_back(next(session.logits()));
          session.append_sampled(ids.back());
        }
        seconds += seconds_since(begin);
        return ids;
      };
      identical_ &=
          said(*plain_, plain, plain_seconds_) == said(*drafting_, drafting, drafting_seconds_);
      identical_ &= std::equal(plain_->logits().begin(), plain_->logits().end(),
                               drafting_->logits().begin(), drafting_->logits().end());
    }
    said_ += count;
  }

  void say(std::span<const int32_t> ids) {
    const auto in_order = [ids] {
      return [ids, at = size_t{0}](std::span<const float>) mutable { return ids[at++]; };
    };
    say(static_cast<int64_t>(ids.size()), in_order(), in_order());
  }

  void print(const char* kind, const std::string& text) {
    count();
    Json row = {{"bench", "draft"}, {"kind", kind}, {"text", text}, {"tokens", said_}};
    const auto said = static_cast<double>(said_);
    row["plain_tokens_s"] = std::round(said / plain_seconds_);
    row["drafting_tokens_s"] = std::round(said / drafting_seconds_);
    row["speed_up"] = std::round(plain_seconds_ / drafting_seconds_ * 1000) / 1000;
    row["steps"] = counts_.steps;
    row["guessed"] = counts_.guessed;
    row["right"] = counts_.right;
    row["predicted"] = counts_.predicted;
    row["predicted_right"] = counts_.predicted_right;
    row["identical"] = identical_;
    std::printf("%s\n", row.dump().c_str());
    std::fflush(stdout);
  }

 private:
  void count() {
    const DraftCounts counts = drafting_->drafts();
    counts_.steps += counts.steps;
    counts_.guessed += counts.guessed;
    counts_.right += counts.right;
    counts_.predicted += counts.predicted;
    counts_.predicted_right += counts.predicted_right;
  }

  std::unique_ptr<Session> plain_base_, drafting_base_;  // empty
  std::unique_ptr<Session> plain_, drafting_;
  DraftCounts counts_;
  double plain_seconds_ = 0;
  double drafting_seconds_ = 0;
  int64_t said_ = 0;
  bool identical_ = true;
};

// The bench, one kind of text after the other.
class DraftBench {
 public:
  explicit DraftBench(const Options& options)
      : options_(options),
        model_(Model::open(options.model)),
        tokenizer_(Tokenizer::load(options.model)),
        pool_(options.threads) {}

  // What a pass costs that computes several ids and the logits after each.
  void costs() {
    constexpr int kRounds = 60;
    SessionOptions plain;
    plain.draft = false;
    Session session(model_, pool_, plain);
    std::vector<int32_t> ids;
    for (int64_t i = 0; i < 1000; ++i) {
      ids.push_back(static_cast<int32_t>(i * 7919 % model_->config().vocab_size));
    }
    session.append(ids);
    const std::vector<size_t> counts{1, 2, 4, 8, 16};
    std::vector<std::vector<double>> seconds(counts.size());
    for (int round = 0; round < kRounds; ++round) {
      for (size_t i = 0; i < counts.size(); ++i) {
        const Clock::time_point begin = Clock::now();
        session.append_each(std::span(ids).first(counts[i]), [](int64_t, auto) {});
        seconds[i].push_back(seconds_since(begin));
      }
    }
    double alone = 0;
    for (size_t i = 0; i < counts.size(); ++i) {
      std::sort(seconds[i].begin(), seconds[i].end());
      const double median = seconds[i][kRounds / 2];
      if (i == 0) alone = median;
      const Json row = {{"bench", "draft_cost"},
                        {"ids", counts[i]},
                        {"us", std::round(median * 1e7) / 10},
                        {"relative", std::round(median / alone * 1000) / 1000}};
      std::printf("%s\n", row.dump().c_str());
    }
    std::fflush(stdout);
  }

  void text(const std::string& file) {
    const std::string text = read_text(file);
    const std::vector<int32_t> ids = tokenizer_.encode_data(text);
    if (ids.empty()) throw Error(file + " is empty");
    Race fresh = race();
    fresh.say(ids);
    fresh.print("fresh", file);
    Race edit = race();
    edit.read(ids);
    edit.say(tokenizer_.encode_data(edited(text)));
    edit.print("edit", file);
  }

  void transcripts(const std::string& file) {
    Race turns = race();
    std::istringstream lines(read_text(file));
    for (std::string line; std::getline(lines, line);) {
      turns.begin();
      const Json transcript = Json::parse(line);
      for (const Json& part :
           transcript.contains("segments") ? transcript["segments"] : transcript) {
        const Segment segment{part.at("text").get<std::string>(), part.at("markup").get<bool>()};
        const std::vector<int32_t> ids = tokenizer_.encode({&segment, 1});
        if (part.at("role") == "assistant") {
          turns.say(ids);
        } else {
          turns.read(ids);
        }
      }
    }
    turns.print("turns", file);
  }

  void own_words() {
    Race best = race();
    best.read(std::vector<int32_t>{0});
    best.say(options_.tokens, greedy, greedy);
    best.print("greedy", "");
    Race drawn = race();
    drawn.read(std::vector<int32_t>{0});
    const auto sampler = [] {
      return [sampler = Sampler({})](std::span<const float> logits) mutable {
        return sampler.sample(logits);
      };
    };
    drawn.say(options_.tokens, sampler(), sampler());
    drawn.print("sampled", "");
  }

 private:
  Race race() { return {model_, pool_, options_.always}; }

  const Options& options_;
  std::shared_ptr<const Model> model_;
  Tokenizer tokenizer_;
  kernels::ThreadPool pool_;
};

}  // namespace

int run_draft(int argc, char** argv) {
  const std::optional<Options> options = parse(argc, argv);
  if (!options) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  DraftBench bench(*options);
  bench.costs();
  for (const std::string& file : options->texts) bench.text(file);
  for (const std::string& file : options->transcripts) bench.transcripts(file);
  bench.own_words();
  return 0;
}

}  // namespace dsv4::llm::bench
