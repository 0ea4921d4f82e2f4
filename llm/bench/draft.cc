// The same ids fed to a session that guesses ahead and to one that does not, in turns.

#include "llm/bench/draft.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/error.h"
#include "llm/session.h"
#include "llm/tokenizer.h"

namespace dsv4::llm::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char kUsage[] =
    "usage: dsv4-bench draft --model DIR [--text FILE]... [--tokens N] [--threads N]\n"
    "Feeds ids one by one, as if they were sampled, with guesses and without, and prints a line "
    "for\n"
    "each kind of text: `fresh`, the file's own text; `edit`, the text again with a line in "
    "twelve\n"
    "changed, after the file itself; and `greedy`, N ids (default 2000) that the model says.\n";

struct Options {
  std::string model;
  std::vector<std::string> texts;
  int64_t tokens = 2000;
  int threads = 0;
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
    } else if (name == "--tokens") {
      options.tokens = std::atoll(value);
    } else if (name == "--threads") {
      options.threads = std::atoi(value);
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

// One sequence of ids said by both.
class Race {
 public:
  Race(const std::shared_ptr<const Model>& model, kernels::ThreadPool& pool)
      : plain_(model, pool, with(false)), drafting_(model, pool, with(true)) {}

  void read(const std::vector<int32_t>& ids) {
    plain_.append(ids);
    drafting_.append(ids);
  }

  // next(logits) gives the ids, `count` of them.
  void say(int64_t count, const std::function<int32_t(std::span<const float>)>& next) {
    constexpr int64_t kTurn = 32;
    for (int64_t done = 0; done < count; done += kTurn) {
      std::vector<int32_t> ids;
      std::vector<float> after;
      const int64_t n = std::min(kTurn, count - done);
      auto begin = Clock::now();
      for (int64_t i = 0; i < n; ++i) {
        ids.push_back(next(plain_.logits()));
        plain_.append_sampled(ids.back());
      }
      plain_seconds_ += std::chrono::duration<double>(Clock::now() - begin).count();
      begin = Clock::now();
      for (const int32_t id : ids) drafting_.append_sampled(id);
      drafting_seconds_ += std::chrono::duration<double>(Clock::now() - begin).count();
      identical_ &= std::equal(plain_.logits().begin(), plain_.logits().end(),
                               drafting_.logits().begin(), drafting_.logits().end());
    }
    said_ += count;
  }

  void print(const char* kind, const std::string& text) const {
    const DraftCounts counts = drafting_.drafts();
    std::printf(
        "{\"bench\": \"draft\", \"kind\": \"%s\", \"text\": %s, \"tokens\": %lld, "
        "\"plain_tokens_s\": %.1f, \"drafting_tokens_s\": %.1f, \"speed_up\": %.3f, "
        "\"guessed\": %lld, \"right\": %lld, \"steps\": %lld, \"identical\": %s}\n",
        kind, nlohmann::json(text).dump().c_str(), static_cast<long long>(said_),
        static_cast<double>(said_) / plain_seconds_, static_cast<double>(said_) / drafting_seconds_,
        plain_seconds_ / drafting_seconds_, static_cast<long long>(counts.guessed),
        static_cast<long long>(counts.right), static_cast<long long>(counts.steps),
        identical_ ? "true" : "false");
    std::fflush(stdout);
  }

 private:
  static SessionOptions with(bool draft) {
    SessionOptions options;
    options.draft = draft;
    return options;
  }

  Session plain_;
  Session drafting_;
  double plain_seconds_ = 0;
  double drafting_seconds_ = 0;
  int64_t said_ = 0;
  bool identical_ = true;
};

std::function<int32_t(std::span<const float>)> one_after_another(const std::vector<int32_t>& ids) {
  return [&ids, at = size_t{0}](std::span<const float>) mutable { return ids[at++]; };
}

int32_t likeliest(std::span<const float> logits) {
  return static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

}  // namespace

int run_draft(int argc, char** argv) {
  const std::optional<Options> options = parse(argc, argv);
  if (!options) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  const std::shared_ptr<const Model> model = Model::open(options->model);
  const Tokenizer tokenizer = Tokenizer::load(options->model);
  kernels::ThreadPool pool(options->threads);
  for (const std::string& file : options->texts) {
    const std::string text = read_text(file);
    const std::vector<int32_t> ids = tokenizer.encode_data(text);
    const auto count = static_cast<int64_t>(ids.size());
    if (count == 0) throw Error(file + " is empty");
    Race fresh(model, pool);
    fresh.say(count, one_after_another(ids));
    fresh.print("fresh", file);
    Race edit(model, pool);
    edit.read(ids);
    const std::vector<int32_t> again = tokenizer.encode_data(edited(text));
    edit.say(static_cast<int64_t>(again.size()), one_after_another(again));
    edit.print("edit", file);
  }
  Race greedy(model, pool);
  greedy.read({0});
  greedy.say(options->tokens, likeliest);
  greedy.print("greedy", "");
  return 0;
}

}  // namespace dsv4::llm::bench
