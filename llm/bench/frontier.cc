// One session that grows: how fast it still is at each length, and what it takes.

#include "llm/bench/frontier.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "kernels/bench/measure.h"
#include "llm/bench/token_bytes.h"
#include "llm/error.h"
#include "llm/session.h"
#include "llm/session_store.h"
#include "llm/session_trail.h"

namespace dsv4::llm::bench {
namespace {

using Clock = std::chrono::steady_clock;
using kernels::bench::Times;

constexpr const char kUsage[] =
    "usage: dsv4-bench frontier --model DIR [--to TOKENS] [--threads N] [--seed N]\n"
    "                           [--precision f32|exact|fast] [--keep DIR]\n"
    "Feeds random ids to one session and prints two lines at 1K, 4K, 16K, ... up to TOKENS\n"
    "(default 65536): `frontier`, the speed of the last interval's prefill and of decoding, at\n"
    "what share of this machine's read bandwidth that reads weights (over 1 where caches hold\n"
    "them), and the memory; and `session`, the cost of a fork, a checkpoint, a rewind, saving the\n"
    "step of 100 tokens, a save, another after 1,000 more tokens, a load, and the first token "
    "after it.\n"
    "--keep saves the session of each length in DIR, and takes from there what an earlier call "
    "saved:\n"
    "a million tokens are then there in seconds, and their prefill is not measured again (null).\n";

struct Options {
  std::string model;
  int64_t to = 65536;
  int threads = 0;
  uint32_t seed = 1;
  std::optional<Precision> precision;
  std::string keep;  // a directory, or empty
};

// Nothing when the arguments make no sense.
std::optional<Options> parse(int argc, char** argv) {
  Options options;
  for (int i = 0; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (++i == argc) return std::nullopt;
    const char* value = argv[i];
    if (name == "--model") {
      options.model = value;
    } else if (name == "--to") {
      options.to = std::atoll(value);
    } else if (name == "--threads") {
      options.threads = std::atoi(value);
    } else if (name == "--keep") {
      options.keep = value;
    } else if (name == "--precision") {
      options.precision = parse_precision(value);
    } else if (name == "--seed") {
      options.seed = static_cast<uint32_t>(std::atoll(value));
    } else {
      return std::nullopt;
    }
  }
  const bool sane = !options.model.empty() && options.to > 0;
  return sane ? std::optional(options) : std::nullopt;
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int64_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  int64_t total = 0;
  int64_t resident = 0;
  in >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

Times quartiles(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  const size_t n = times.size();
  return {times[n / 2], times[n / 4], times[n - 1 - n / 4]};
}

// Of `runs` runs, each after an untimed preparation.
Times time_runs(int runs, const std::function<void()>& prepare, const std::function<void()>& run) {
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    prepare();
    const auto begin = Clock::now();
    run();
    times.push_back(seconds_since(begin));
  }
  return quartiles(std::move(times));
}

void print_times(const char* name, const Times& t) {
  std::printf("\"%s_ms\": %.3f, \"%s_quartiles_ms\": [%.3f, %.3f]", name, t.median * 1e3, name,
              t.low * 1e3, t.high * 1e3);
}

std::string one_decimal(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

SessionOptions session_options(const Options& options) {
  SessionOptions session;
  session.precision = options.precision;
  return session;
}

// A directory that goes with it.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "dsv4-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw Error("no directory can be made at " + name);
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class Frontier {
 public:
  Frontier(const Options& options, std::shared_ptr<const Model> model, kernels::ThreadPool& pool)
      : model_(std::move(model)),
        pool_(pool),
        options_(session_options(options)),
        weight_bytes_(static_cast<double>(weight_bytes_per_token(*model_))),
        read_bytes_per_second_(
            kernels::bench::measure_ceilings(pool, kernels::detect_isa()).read_bytes_per_second),
        prompt_(options.seed),
        random_(options.seed + 1),
        vocab_(static_cast<uint32_t>(model_->config().vocab_size)),
        session_(std::make_unique<Session>(model_, pool, options_)) {
    if (!options.keep.empty()) kept_.emplace(StoreOptions{options.keep});
  }

  void to(int64_t tokens) {
    while (std::ssize(ids_) < tokens) ids_.push_back(next(prompt_));
    if (kept_) resume();
    std::optional<double> rate;
    const int64_t from = session_->position();
    if (from < tokens) {
      const auto begin = Clock::now();
      session_->append(std::span(ids_).subspan(static_cast<size_t>(from)));
      rate = static_cast<double>(tokens - from) / seconds_since(begin);
      if (kept_) kept_->save(*session_);
    }
    print_frontier(rate);
    print_session();
  }

 private:
  int32_t next(std::mt19937& random) const { return static_cast<int32_t>(random() % vocab_); }
  int32_t next() { return next(random_); }

  // Goes on from the kept session that is farthest along the ids, if it is farther than this one.
  void resume() {
    auto kept = std::make_unique<Session>(model_, pool_, options_);
    if (kept_->restore(*kept, ids_) > session_->position()) session_ = std::move(kept);
  }

  // rate: tokens/s of the interval's prefill, nothing when it was not computed.
  void print_frontier(std::optional<double> rate) {
    constexpr int kDecoded = 48;
    const auto branch = session_->fork();
    const Times token = time_runs(
        kDecoded, [] {}, [&] { branch->append(std::vector{next()}); });
    const auto at = static_cast<double>(session_->position());
    const std::string prefill = rate ? one_decimal(*rate) : "null";
    std::printf(
        "{\"bench\": \"frontier\", \"tokens\": %lld, \"prefill_tokens_s\": %s, "
        "\"decode_tokens_s\": %.1f, \"decode_quartiles_tokens_s\": [%.1f, %.1f], "
        "\"weights_of_read_bandwidth\": %.2f, \"kv_bytes_per_token\": %.1f, "
        "\"state_bytes\": %lld, \"resident_bytes\": %lld}\n",
        static_cast<long long>(session_->position()), prefill.c_str(), 1 / token.median,
        1 / token.high, 1 / token.low, weight_bytes_ / token.median / read_bytes_per_second_,
        static_cast<double>(session_->page_bytes()) / at,
        static_cast<long long>(session_->state_bytes()), static_cast<long long>(resident_bytes()));
    std::fflush(stdout);
  }

  void print_session() {
    constexpr int kRuns = 9;
    constexpr int64_t kBeyond = 100;
    std::unique_ptr<Session> branch;
    const Times fork = time_runs(
        kRuns, [] {}, [&] { branch = session_->fork(); });
    const Times checkpoint = time_runs(
        kRuns, [] {}, [&] { session_->checkpoint(); });
    std::vector<int32_t> more(kBeyond);
    for (int32_t& id : more) id = next();
    const int64_t here = session_->position();
    const Times rewind = time_runs(
        kRuns,
        [&] {
          branch = session_->fork();
          branch->append(more);
        },
        [&] { branch->rewind(here); });
    std::printf("{\"bench\": \"session\", \"tokens\": %lld, ", static_cast<long long>(here));
    print_times("fork", fork);
    std::fputs(", ", stdout);
    print_times("checkpoint", checkpoint);
    std::fputs(", ", stdout);
    print_times("rewind", rewind);
    std::fputs(", ", stdout);
    print_trail();
    print_disk();
    std::puts("}");
    std::fflush(stdout);
  }

  // Saving what a turn adds: each run, a hundred more ids.
  void print_trail() {
    constexpr int kRuns = 25;
    constexpr int64_t kTurn = 100;
    const Folder folder;
    SessionTrail trail(folder.path());
    const auto branch = session_->fork();
    SessionTrail::Mark mark = SessionTrail::mark(*branch);
    std::vector<int32_t> more(kTurn);
    const Times step = time_runs(
        kRuns,
        [&] {
          for (int32_t& id : more) id = next();
          branch->append(more);
        },
        [&] { mark = trail.save(*branch, mark); });
    print_times("step_save", step);
    int64_t bytes = 0;
    for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
      bytes += static_cast<int64_t>(file.file_size());
    }
    std::printf(", \"step_save_bytes\": %lld", static_cast<long long>(bytes / kRuns));
  }

  // One run each: what is there already is not written again.
  void print_disk() {
    constexpr int64_t kMore = 1000;
    const Folder folder;
    SessionStore store({folder.path()});
    auto begin = Clock::now();
    const SaveReport saved = store.save(*session_);
    const double save = seconds_since(begin);
    const auto branch = session_->fork();
    std::vector<int32_t> more(kMore);
    for (int32_t& id : more) id = next();
    branch->append(more);
    begin = Clock::now();
    const SaveReport second = store.save(*branch);
    const double second_save = seconds_since(begin);
    Session loaded(model_, pool_, options_);
    begin = Clock::now();
    const bool whole = store.load(loaded, saved.key);
    const double load = seconds_since(begin);
    begin = Clock::now();
    loaded.append(std::vector{next()});
    const double token = seconds_since(begin);
    std::printf(
        ", \"save_ms\": %.1f, \"save_bytes\": %lld, \"second_save_ms\": %.1f, "
        "\"second_save_bytes\": %lld, \"load_ms\": %.1f, \"loaded\": %s, "
        "\"first_token_ms\": %.2f",
        save * 1e3, static_cast<long long>(saved.written_bytes), second_save * 1e3,
        static_cast<long long>(second.written_bytes), load * 1e3, whole ? "true" : "false",
        token * 1e3);
  }

  std::shared_ptr<const Model> model_;
  kernels::ThreadPool& pool_;
  SessionOptions options_;
  double weight_bytes_;           // that decoding one id reads
  double read_bytes_per_second_;  // that this machine reads at best
  std::optional<SessionStore> kept_;
  std::mt19937 prompt_;  // the ids of the session
  std::mt19937 random_;  // those that measuring takes
  uint32_t vocab_;
  std::vector<int32_t> ids_;
  std::unique_ptr<Session> session_;
};

}  // namespace

int run_frontier(int argc, char** argv) {
  const std::optional<Options> options = parse(argc, argv);
  if (!options) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  kernels::ThreadPool pool(options->threads);
  Frontier frontier(*options, Model::open(options->model), pool);
  for (int64_t mark = 1024; mark < options->to; mark *= 4) frontier.to(mark);
  frontier.to(options->to);
  return 0;
}

}  // namespace dsv4::llm::bench
