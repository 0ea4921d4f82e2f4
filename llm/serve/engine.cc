#include "llm/serve/engine.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

#include "kernels/parallel/thread_pool.h"
#include "llm/error.h"
#include "llm/serve/kept_contexts.h"
#include "llm/serve/running_turn.h"
#include "llm/session_batch.h"

namespace dsv4::llm::serve {
namespace {

// Ids of prompts computed in one pass: while nobody speaks, and beside those who do, who wait for
// it: about as many as there are of those, so that it takes them twice as long at most.
constexpr int64_t kReadAlone = 256;
constexpr int64_t kReadBeside = 16;  // at least

// Of a small model: so many bytes of states stay in the processor's caches while they are used
// again and again, and so many passes are made with the turns that they belong to before others
// follow.
constexpr int64_t kCachedStates = 9 << 20;
constexpr int kPassesInARow = 16;

// Remembered turns take little beside the states.
constexpr int64_t kSaidBytes = int64_t{64} << 20;

constexpr const char* kNoMemory = "the server has run out of memory";

SessionOptions session_options(const EngineOptions& options) {
  SessionOptions out;
  out.precision = options.precision;
  out.draft = options.draft;
  out.chunk = kReadAlone;
  return out;
}

}  // namespace

class Engine::Loop {
 public:
  Loop(OpenedModel model, const EngineOptions& options)
      : opened_(std::move(model)),
        options_(options),
        pool_(options.threads),
        batch_(opened_.model, pool_),
        root_(opened_.model, pool_, session_options(options)),
        kept_(root_, options.kept_bytes),
        guides_(static_cast<size_t>(options.most_running)),
        said_(kSaidBytes),
        thread_([this](const std::stop_token& stop) { run(stop); }) {}

  ~Loop() {
    thread_.request_stop();
    changed_.notify_all();
    thread_.join();
  }

  void submit(TurnRequest request) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(request));
    }
    changed_.notify_all();
  }

  void on_told(std::function<void()> told) {
    const std::lock_guard lock(mutex_);
    told_ = std::move(told);
  }

  EngineState state() const {
    const std::lock_guard lock(mutex_);
    EngineState state = state_;
    state.waiting = static_cast<int64_t>(waiting_.size());
    return state;
  }

  const OpenedModel& opened() const { return opened_; }
  SaidReplies& said() { return said_; }

 private:
  using Turn = std::unique_ptr<RunningTurn>;

  void run(const std::stop_token& stop) {
    for (;;) {
      std::vector<TurnRequest> fresh = take_waiting(stop);
      const bool stopping = stop.stop_requested();
      for (TurnRequest& request : fresh) begin(std::move(request));
      for (const Turn& turn : running_) {
        if (stopping || turn->request().cancel.stop_requested()) turn->end(TurnEnd::kCancelled);
      }
      if (!running_.empty()) pass();
      settle();
      if (stopping && running_.empty() && !has_waiting()) return;
    }
  }

  bool has_waiting() const {
    const std::lock_guard lock(mutex_);
    return !waiting_.empty();
  }

  // Those for whom there is room, and those who have left. Waits while there is nothing to do.
  std::vector<TurnRequest> take_waiting(const std::stop_token& stop) {
    std::vector<TurnRequest> fresh;
    std::unique_lock lock(mutex_);
    changed_.wait(lock,
                  [&] { return !running_.empty() || !waiting_.empty() || stop.stop_requested(); });
    auto room = static_cast<size_t>(std::max(1, options_.most_running)) - running_.size();
    for (auto next = waiting_.begin(); next != waiting_.end();) {
      const bool left = stop.stop_requested() || next->cancel.stop_requested();
      if (!left && room == 0) {
        ++next;
        continue;
      }
      if (!left) --room;
      fresh.push_back(std::move(*next));
      next = waiting_.erase(next);
    }
    return fresh;
  }

  void begin(TurnRequest request) {
    const std::shared_ptr<TurnSink> sink = request.sink;
    TurnUsage usage;
    usage.prompt = static_cast<int64_t>(request.prompt.ids.size());
    try {
      std::vector<int32_t> ids = request.prompt.ids;
      ids.insert(ids.end(), request.prefix.begin(), request.prefix.end());
      std::unique_ptr<Session> session = kept_.fork_for(ids);
      KeptGuide guide = guides_.take(request.tools, request.choices.has_value());
      running_.push_back(std::make_unique<RunningTurn>(*opened_.shared, std::move(request),
                                                       std::move(session), std::move(guide)));
    } catch (const Error& error) {
      sink->ended(TurnEnd::kFailed, usage, error.what());
    } catch (const std::bad_alloc&) {
      sink->ended(TurnEnd::kFailed, usage, kNoMemory);
    }
  }

  // Computes what is due, and lets those speak who can.
  void pass() {
    std::vector<RunningTurn*> turns = choose();
    if (!turns.empty()) compute(turns);
    std::vector<RunningTurn*> ready;
    for (const Turn& turn : running_) {
      if (turn->ready()) ready.push_back(turn.get());
    }
    pool_.parallel_for(static_cast<int64_t>(ready.size()), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) speak(*ready[static_cast<size_t>(i)]);
    });
  }

  static void speak(RunningTurn& turn) {
    try {
      turn.speak();
    } catch (const Error& error) {
      turn.end(TurnEnd::kFailed, error.what());
    } catch (const std::bad_alloc&) {
      turn.end(TurnEnd::kFailed, kNoMemory);
    }
  }

  // Everybody who speaks; of a small model, those whose turn it is.
  void choose_speakers() {
    const auto speaks = [](const RunningTurn* turn) {
      return !turn->ended() && !turn->reading() && !turn->due().empty();
    };
    const bool go_on = passes_left_ > 0 && std::all_of(speakers_.begin(), speakers_.end(), speaks);
    if (go_on && !speakers_.empty()) {
      --passes_left_;
      return;
    }
    passes_left_ = 0;
    speakers_.clear();
    for (const Turn& turn : running_) {
      if (speaks(turn.get())) speakers_.push_back(turn.get());
    }
    const auto most = static_cast<size_t>(
        std::max<int64_t>(2 * pool_.size(), kCachedStates / root_.state_bytes()));
    if (!batch_.small_model() || speakers_.size() <= most) return;
    // Those whose turn was longest ago.
    std::stable_sort(speakers_.begin(), speakers_.end(),
                     [](const auto* a, const auto* b) { return a->last_pass() < b->last_pass(); });
    speakers_.resize(most);
    for (RunningTurn* turn : speakers_) turn->set_last_pass(++stamp_);
    passes_left_ = kPassesInARow - 1;
  }

  // Those who speak, and as much of the prompts, the oldest first, as one pass may hold.
  std::vector<RunningTurn*> choose() {
    std::vector<RunningTurn*> turns;
    parts_.clear();
    choose_speakers();
    for (RunningTurn* turn : speakers_) {
      turns.push_back(turn);
      parts_.push_back({&turn->session(), turn->due()});
    }
    const auto speakers = static_cast<int64_t>(speakers_.size());
    int64_t room = speakers > 0 ? std::max(kReadBeside, speakers) : kReadAlone;
    for (const Turn& turn : running_) {
      if (turn->ended() || !turn->reading()) continue;
      const auto due = turn->due();
      const int64_t count = std::min(room, static_cast<int64_t>(due.size()));
      if (count == 0) break;
      room -= count;
      turns.push_back(turn.get());
      parts_.push_back({&turn->session(), due.first(static_cast<size_t>(count))});
    }
    return turns;
  }

  void compute(std::span<RunningTurn* const> turns) {
    if (running_.size() == 1) return compute_alone(*turns.front(), parts_.front());
    std::vector<int64_t> appended;
    try {
      appended = batch_.append(parts_);
    } catch (const Error&) {  // nothing was computed: what one gets wrong is not the others' fault
      for (size_t i = 0; i < turns.size(); ++i) compute_alone(*turns[i], parts_[i]);
      return;
    } catch (const std::bad_alloc&) {  // in the middle of it: none of them is whole
      for (RunningTurn* turn : turns) turn->end(TurnEnd::kFailed, kNoMemory);
      return;
    }
    int64_t all = 0;
    for (size_t i = 0; i < turns.size(); ++i) {
      all += appended[i];
      moved_on(*turns[i], appended[i]);
    }
    count(all);
  }

  // The way in which a turn guesses ahead.
  void compute_alone(RunningTurn& turn, const BatchPart& part) {
    const int64_t before = part.session->position();
    try {
      if (turn.reading()) {
        part.session->append(part.ids);
      } else {
        part.session->append_sampled(part.ids);
      }
    } catch (const Error& error) {
      return turn.end(TurnEnd::kFailed, error.what());
    } catch (const std::bad_alloc&) {
      return turn.end(TurnEnd::kFailed, kNoMemory);
    }
    const int64_t done = part.session->position() - before;
    moved_on(turn, done);
    count(done);
  }

  void moved_on(RunningTurn& turn, int64_t count) {
    turn.computed(count);
    if (!turn.at_mark()) return;
    const auto here = static_cast<size_t>(turn.session().position());
    kept_.put(std::span(turn.request().prompt.ids).first(here), turn.session().fork());
  }

  void count(int64_t ids) {
    const std::lock_guard lock(mutex_);
    ++state_.passes;
    state_.passed_ids += ids;
  }

  // Tells the sinks, and keeps the contexts of turns that have ended.
  void settle() {
    const auto over = [](const RunningTurn* turn) { return turn->ended(); };
    if (std::any_of(speakers_.begin(), speakers_.end(), over)) speakers_.clear();
    for (Turn& turn : running_) {
      // Before its client can send it back.
      if (turn->ended()) turn->remember(said_);
      turn->tell();
      if (!turn->ended()) continue;
      guides_.give_back(turn->take_guide());
      const std::vector<int32_t> ids = turn->ids();
      std::unique_ptr<Session> session = turn->take_session();
      const auto here = static_cast<size_t>(session->position());
      if (!turn->failed() && here > static_cast<size_t>(turn->usage().cached)) {
        kept_.put(std::span(ids).first(here), std::move(session));
      }
      turn.reset();
    }
    std::erase(running_, nullptr);
    kept_.trim(static_cast<int64_t>(running_.size()));
    std::function<void()> told;
    {
      const std::lock_guard lock(mutex_);
      state_.running = static_cast<int64_t>(running_.size());
      state_.kept = static_cast<int64_t>(kept_.size());
      state_.bytes = kept_.bytes(state_.running);
      told = told_;
    }
    if (told) told();
  }

  OpenedModel opened_;
  EngineOptions options_;
  kernels::ThreadPool pool_;
  SessionBatch batch_;
  Session root_;  // at position 0; all others are its forks
  KeptContexts kept_;
  KeptGuides guides_;
  SaidReplies said_;
  std::vector<Turn> running_;
  std::vector<BatchPart> parts_;
  std::vector<RunningTurn*> speakers_;  // of the passes going on
  int passes_left_ = 0;
  int64_t stamp_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<TurnRequest> waiting_;
  std::function<void()> told_;
  EngineState state_;
  std::jthread thread_;  // last: uses all of the above
};

Engine::Engine(OpenedModel model, const EngineOptions& options)
    : loop_(std::make_unique<Loop>(std::move(model), options)) {}

Engine::~Engine() = default;

void Engine::submit(TurnRequest request) { loop_->submit(std::move(request)); }
void Engine::on_told(std::function<void()> told) { loop_->on_told(std::move(told)); }
const LocalModel& Engine::model() const { return *loop_->opened().shared; }
int64_t Engine::vocabulary() const { return loop_->opened().model->config().vocab_size; }
SaidReplies& Engine::said() { return loop_->said(); }
EngineState Engine::state() const { return loop_->state(); }

}  // namespace dsv4::llm::serve
