// Sessions decoded together.

#include "llm/bench/batch.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/bench/measure.h"
#include "llm/session_batch.h"

namespace dsv4::llm::bench {
namespace {

using Clock = std::chrono::steady_clock;
using kernels::bench::Times;

constexpr const char kUsage[] =
    "usage: dsv4-bench batch --model DIR [--sessions 1,2,4,8] [--context TOKENS] [--rounds N]\n"
    "                        [--threads N] [--seed N]\n"
    "Decodes forks of sessions of TOKENS random ids each (default 2048) in one batch without\n"
    "guesses, and prints a line for each number of sessions: tokens/s of all together, and how\n"
    "often that is what one session alone brings in the same round.\n";

struct Options {
  std::string model;
  std::vector<int64_t> sessions = {1, 2, 4, 8};
  int64_t context = 2048;
  int rounds = 101;
  int threads = 0;
  uint32_t seed = 1;
};

std::vector<int64_t> numbers(const std::string& list) {
  std::vector<int64_t> out;
  for (size_t at = 0; at < list.size();) {
    const size_t comma = std::min(list.find(',', at), list.size());
    out.push_back(std::atoll(list.substr(at, comma - at).c_str()));
    at = comma + 1;
  }
  return out;
}

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  for (int i = 0; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const char* value = argv[i + 1];
    if (name == "--model") {
      options.model = value;
    } else if (name == "--sessions") {
      options.sessions = numbers(value);
    } else if (name == "--context") {
      options.context = std::atoll(value);
    } else if (name == "--rounds") {
      options.rounds = std::atoi(value);
    } else if (name == "--threads") {
      options.threads = std::atoi(value);
    } else if (name == "--seed") {
      options.seed = static_cast<uint32_t>(std::atoll(value));
    } else {
      return std::nullopt;
    }
  }
  const bool counts =
      !options.sessions.empty() && std::all_of(options.sessions.begin(), options.sessions.end(),
                                               [](int64_t n) { return n >= 1 && n <= 64; });
  const bool sane = argc % 2 == 0 && !options.model.empty() && counts && options.context > 0 &&
                    options.rounds > 0;
  return sane ? std::optional(options) : std::nullopt;
}

Times quartiles(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t n = values.size();
  return {values[n / 2], values[n / 4], values[n - 1 - n / 4]};
}

class Batch {
 public:
  Batch(const Options& options, const std::shared_ptr<const Model>& model,
        kernels::ThreadPool& pool)
      : options_(options),
        pool_(pool),
        random_(options.seed),
        vocab_(static_cast<uint32_t>(model->config().vocab_size)),
        batch_(model, pool) {
    const Session root(model, pool, without_guesses());
    const int64_t most = *std::max_element(options.sessions.begin(), options.sessions.end());
    std::vector<int32_t> ids(static_cast<size_t>(options.context));
    for (int64_t i = 0; i < most; ++i) {
      for (int32_t& id : ids) id = next();
      trunks_.push_back(root.fork());
      trunks_.back()->append(ids);
    }
  }

  void run() {
    std::vector<std::vector<double>> rates(options_.sessions.size());
    std::vector<std::vector<double>> ratios(options_.sessions.size());
    for (int round = 0; round < options_.rounds; ++round) {
      for (size_t i = 0; i < options_.sessions.size(); ++i) {
        // Each beside its own measurement of one: a machine's speed changes all the time.
        const double one = rate(1);
        rates[i].push_back(rate(options_.sessions[i]));
        ratios[i].push_back(rates[i].back() / one);
      }
    }
    for (size_t i = 0; i < options_.sessions.size(); ++i) {
      print(options_.sessions[i], quartiles(rates[i]), quartiles(ratios[i]));
    }
  }

 private:
  static SessionOptions without_guesses() {
    SessionOptions options;
    options.draft = false;
    return options;
  }

  int32_t next() { return static_cast<int32_t>(random_() % vocab_); }

  // Tokens per second of `count` sessions together. One alone goes the way it always goes.
  double rate(int64_t count) {
    constexpr int kTokens = 8;  // a round short enough to have one speed of the machine
    std::vector<std::unique_ptr<Session>> forks;
    for (int64_t i = 0; i < count; ++i) forks.push_back(trunks_[static_cast<size_t>(i)]->fork());
    std::vector<int32_t> ids(forks.size());
    std::vector<BatchPart> parts;
    for (size_t i = 0; i < forks.size(); ++i) parts.push_back({forks[i].get(), {&ids[i], 1}});
    const auto step = [&] {
      for (int32_t& id : ids) id = next();
      if (count == 1) {
        forks.front()->append(ids);
      } else {
        batch_.append(parts);
      }
    };
    step();  // takes over the pages that the forks write to
    const auto begin = Clock::now();
    for (int i = 0; i < kTokens; ++i) step();
    const std::chrono::duration<double> elapsed = Clock::now() - begin;
    return static_cast<double>(kTokens * count) / elapsed.count();
  }

  void print(int64_t sessions, const Times& rate, const Times& ratio) const {
    std::printf(
        "{\"bench\": \"batch\", \"sessions\": %lld, \"context\": %lld, \"threads\": %d, "
        "\"tokens_s\": %.1f, \"tokens_s_quartiles\": [%.1f, %.1f], \"ratio_to_one\": %.3f, "
        "\"ratio_quartiles\": [%.3f, %.3f]}\n",
        static_cast<long long>(sessions), static_cast<long long>(options_.context), pool_.size(),
        rate.median, rate.low, rate.high, ratio.median, ratio.low, ratio.high);
    std::fflush(stdout);
  }

  const Options& options_;
  kernels::ThreadPool& pool_;
  std::mt19937 random_;
  uint32_t vocab_;
  std::vector<std::unique_ptr<Session>> trunks_;
  SessionBatch batch_;
};

}  // namespace

int run_batch(int argc, char** argv) {
  const std::optional<Options> options = parse(argc, argv);
  if (!options) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  kernels::ThreadPool pool(options->threads);
  Batch(*options, Model::open(options->model), pool).run();
  return 0;
}

}  // namespace dsv4::llm::bench
